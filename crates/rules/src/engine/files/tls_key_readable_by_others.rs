use plimsoll_facts::{Facts, FileRole, FileStat};

use super::access::{Question, Wrong, granted, group, show_mode, show_owner, writable};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "tls-key-readable-by-others",
    title: "A private key of the engine is not root's alone",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "With the server's key somebody else answers as the engine and reads what its clients send; with a registry \
          client's key he pulls and pushes as this host. Every key counts, wherever --tlskey or certs.d put it.",
    fix: "chown root:root FILE && chmod 0400 FILE for each key of the evidence. Nothing stops. A key that others could read \
          has to be replaced: make a new one and have it signed.",
    references: &["https://docs.docker.com/engine/security/protect-access/", "chmod(1)"],
    cis: &["3.14"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[(FileRole::TlsServerKey, "3.14"), (FileRole::RegistryKey, "")],
    expected: "0400",
    none: "the engine has no private key of its own and none for a registry",
};

fn judge(facts: &Facts) -> Judgement {
    let show = |stat: &FileStat| format!("{} {}", show_mode(stat), show_owner(stat));
    QUESTION.ask(facts, show, |_, stat| readable(stat))
}

fn readable(stat: &FileStat) -> Option<Wrong> {
    if stat.mode & 0o004 != 0 {
        return Some(high("every account may read it".to_owned()));
    }
    if let Some(entry) = granted(stat, 'r') {
        return Some(high(format!("its ACL lets others read it ({entry})")));
    }
    if stat.mode & 0o040 != 0 && stat.acl.is_empty() && stat.gid != 0 {
        return Some(high(format!("the group {} may read it", group(stat))));
    }
    writable(stat, 0o400)
}

fn high(what: String) -> Wrong {
    Wrong { severity: Severity::High, what }
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::answer;
    use crate::{Severity, Status};
    use plimsoll_facts::FileRole;

    #[test]
    fn case_29_keys_in_certs_d_and_by_a_flag() {
        let registry = "/etc/docker/certs.d/registry.example/client.key";
        let open = one_file(FileRole::RegistryKey, registry, 0o666, |s| s.uid = 1000);
        assert_eq!(answer(&RULE, &open).severity, Severity::High);
        let server = one_file(FileRole::TlsServerKey, "/srv/tls/key.pem", 0o666, |_| ());
        assert_eq!(answer(&RULE, &server).severity, Severity::High);
    }

    #[test]
    fn read_bits_acls_groups() {
        let with = |mode, gid, acl: &str| {
            let found = answer(&RULE, &one_file(FileRole::TlsServerKey, "/k", mode, |s| {
                s.gid = gid;
                s.acl = acl.split_whitespace().map(str::to_owned).collect();
            }));
            (found.status, found.severity)
        };
        assert_eq!(with(0o400, 0, ""), (Status::Pass, Severity::High));
        assert_eq!(with(0o600, 0, ""), (Status::Fail, Severity::Info));
        assert_eq!(with(0o440, 998, ""), (Status::Fail, Severity::High));
        assert_eq!(with(0o440, 0, "user:1000:r--"), (Status::Fail, Severity::High));
    }
}
