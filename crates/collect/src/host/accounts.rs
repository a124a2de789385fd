//! Who can use the engine's socket through its group, and who is root (passwd(5), group(5), subuid(5)).

use std::collections::BTreeMap;

use plimsoll_facts::{Accounts, Fact, GroupMember};
use plimsoll_rootdir::RootDir;

use crate::gaps::Gaps;
use crate::source;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SUBUID: &str = "/etc/subuid";
const NSSWITCH: &str = "/etc/nsswitch.conf";

/// Members of the docker group and accounts with user id 0, as far as local files know them.
pub(super) fn collect(root: &RootDir, gaps: &mut Gaps) -> Fact<Accounts> {
    let passwd = source::text(root, PASSWD);
    let group = source::text(root, GROUP);
    let subuid = gaps.keep("host", source::text(root, SUBUID));
    for (database, service) in
        foreign_services(source::text(root, NSSWITCH).value().map_or("", String::as_str))
    {
        let why = format!(
            "{database} also comes from `{service}`, which is not asked: more accounts may be members of the docker group"
        );
        let _: Fact<()> = gaps.unreadable("host", NSSWITCH, why);
    }
    match (passwd, group) {
        (Fact::Known { value: passwd, .. }, Fact::Known { value: group, .. }) => {
            let subuid = subuid.value().map_or("", String::as_str);
            Fact::known(parse(&passwd, &group, subuid), format!("{PASSWD}, {GROUP}, {SUBUID}"))
        }
        (Fact::Known { .. }, other) | (other, _) => other.map(|_| Accounts::default()),
    }
}

pub(super) fn parse(passwd: &str, group: &str, subuid: &str) -> Accounts {
    let users: Vec<(&str, u32, u32)> = passwd.lines().filter_map(user).collect();
    let mut accounts = Accounts {
        extra_roots: users.iter().filter(|u| u.1 == 0 && u.0 != "root").map(|u| u.0.to_owned()).collect(),
        subuids: ranges(subuid),
        ..Accounts::default()
    };
    // A group may stand on several lines; every one counts.
    for (gid, members) in group.lines().filter_map(docker_group) {
        accounts.docker_gid = Some(gid);
        for user in members {
            let uid = users.iter().find(|known| known.0 == user).map(|known| known.1);
            add(&mut accounts.docker_group, GroupMember { user: user.to_owned(), uid, primary: false });
        }
        for (user, uid, _) in users.iter().filter(|known| known.2 == gid) {
            add(
                &mut accounts.docker_group,
                GroupMember { user: (*user).to_owned(), uid: Some(*uid), primary: true },
            );
        }
    }
    accounts
}

fn add(members: &mut Vec<GroupMember>, member: GroupMember) {
    match members.iter_mut().find(|known| known.user == member.user) {
        Some(known) => known.primary |= member.primary,
        None => members.push(member),
    }
}

/// Name, user id and primary group id of a line of passwd.
fn user(line: &str) -> Option<(&str, u32, u32)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    fields.next()?;
    Some((name, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Id and members, where a line of group is that of the docker group.
fn docker_group(line: &str) -> Option<(u32, Vec<&str>)> {
    let mut fields = line.strip_prefix("docker:")?.split(':');
    fields.next()?;
    let gid = fields.next()?.parse().ok()?;
    Some((
        gid,
        fields.next().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
    ))
}

fn ranges(subuid: &str) -> BTreeMap<String, Vec<(u32, u32)>> {
    let mut ranges: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
    for line in subuid.lines() {
        if let [name, first, count] = line.trim().split(':').collect::<Vec<_>>()[..]
            && let (Ok(first), Ok(count)) = (first.parse(), count.parse())
        {
            ranges.entry(name.to_owned()).or_default().push((first, count));
        }
    }
    ranges
}

/// Services other than local files that passwd and group come from (nsswitch.conf(5)). `systemd` knows only
/// accounts that services bring with them, in no group of the host.
pub(super) fn foreign_services(nsswitch: &str) -> Vec<(&str, &str)> {
    let mut foreign = Vec::new();
    for line in nsswitch.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((database, services)) = line.split_once(':') else { continue };
        let database = database.trim();
        if !["passwd", "group", "initgroups"].contains(&database) {
            continue;
        }
        let is_foreign =
            |word: &&str| !word.starts_with('[') && !["files", "compat", "systemd"].contains(word);
        foreign.extend(services.split_whitespace().filter(is_foreign).map(|service| (database, service)));
    }
    foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_by_list_and_by_primary_group() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n\
                      deploy:x:1001:998::/home/deploy:/bin/sh\nbroken:x:y:z\n";
        let group = "root:x:0:\ndocker:x:998:ana,ghost,ana\ndocker2:x:7:deploy\n";
        let accounts = parse(passwd, group, "ana:100000:65536\nana:300000:1\nbad:x:1\n");
        let shown: Vec<_> =
            accounts.docker_group.iter().map(|m| (m.user.as_str(), m.uid, m.primary)).collect();
        assert_eq!(shown, [("ana", Some(1000), false), ("ghost", None, false), ("deploy", Some(1001), true)]);
        assert_eq!((accounts.docker_gid, accounts.extra_roots), (Some(998), vec!["toor".to_owned()]));
        assert_eq!(accounts.subuids["ana"], [(100_000, 65_536), (300_000, 1)]);
        assert_eq!(parse(passwd, "root:x:0:\n", "").docker_gid, None);
    }

    #[test]
    fn services_that_are_not_asked() {
        let text =
            "passwd: files systemd\ngroup:\tfiles [SUCCESS=merge] sss # ldap\nhosts: dns\ninitgroups: ldap\n";
        assert_eq!(foreign_services(text), [("group", "sss"), ("initgroups", "ldap")]);
    }
}
