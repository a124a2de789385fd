use plimsoll_facts::{Facts, FileRole, FileStat};

use super::access::{Question, Wrong, belongs_to_rootless_engine, group, show_owner, user};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-socket-owned-by-others",
    title: "The engine's socket belongs to another account or group than its own",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Who may connect to the socket is root on the host. Its owner and its group are therefore lists of people with root; \
          a group that was made for something else (users, www-data) hands it out unseen.",
    fix: "\"group\": \"docker\" in daemon.json (or SocketGroup=docker in docker.socket) and chown root:docker SOCKET now. \
          Nothing stops; clients of the other group are refused from then on.",
    references: &["https://docs.docker.com/engine/install/linux-postinstall/"],
    cis: &["3.15"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "owner",
    files: &[(FileRole::EngineSocket, "3.15")],
    expected: "root:docker or root:root",
    none: "no engine's socket is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    let docker = facts.host.accounts.value().and_then(|accounts| accounts.docker_gid);
    QUESTION.ask(facts, show_owner, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) { None } else { others(stat, docker) }
    })
}

fn others(stat: &FileStat, docker: Option<u32>) -> Option<Wrong> {
    if stat.uid != 0 {
        let what = format!("{} may open it to everybody", user(stat));
        return Some(Wrong { severity: Severity::High, what });
    }
    let named = stat.group.as_deref() == Some("docker");
    if stat.gid == 0 || named || docker == Some(stat.gid) {
        return None;
    }
    let severity = if stat.mode & 0o020 == 0 { Severity::Low } else { Severity::High };
    Some(Wrong { severity, what: format!("members of {} are root through it", group(stat)) })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::bare::{ReachEngine, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Accounts, Facts, FileRole, FileStat};

    fn socket(change: impl FnOnce(&mut FileStat)) -> Facts {
        one_file(FileRole::EngineSocket, "/run/docker.sock", 0o660, change)
    }

    #[test]
    fn owners_and_groups() {
        assert_eq!(answer(&RULE, &socket(|s| s.uid = 1000)).severity, Severity::High);
        assert_eq!(status_of(&RULE, &socket(|s| s.gid = 100)), Status::Fail);
        let docker = socket(|s| {
            s.gid = 998;
            s.group = Some("docker".into());
        });
        assert_eq!(status_of(&RULE, &docker), Status::Pass);
        let mut numbered = socket(|s| s.gid = 998);
        numbered.host.accounts = known(Accounts { docker_gid: Some(998), ..Accounts::default() });
        assert_eq!(status_of(&RULE, &numbered), Status::Pass);
    }

    #[test]
    fn case_48_a_rootless_socket_belongs_to_its_account() {
        let mut facts = one_file(FileRole::EngineSocket, "/run/user/1000/docker.sock", 0o660, |s| {
            (s.uid, s.gid) = (1000, 1000);
        });
        facts.engines = engine(|e| {
            e.daemon().uid = 1000;
            e.info().security_options.push("name=rootless".into());
        })
        .engines;
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }
}
