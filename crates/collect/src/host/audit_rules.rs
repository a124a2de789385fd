//! Audit rules as `auditctl` and `auditd` write them into files (audit.rules(7), auditctl(8)).

use plimsoll_facts::AuditRule;

/// The watched accesses of a rule that names none.
pub(super) const ALL_PERMISSIONS: &str = "rwxa";

/// The rules that are left when the lines are carried out one after the other. `is_directory` tells what is at a
/// path: auditctl decides by it whether a watch covers what is below.
pub(super) fn parse(text: &str, is_directory: impl Fn(&str) -> bool) -> Vec<AuditRule> {
    let mut rules: Vec<AuditRule> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["-D", ..] => rules.clear(),
            ["-w", path, ref rest @ ..] => rules.push(watch(path, rest, line, &is_directory)),
            ["-W", path, ref rest @ ..] => {
                let gone = watch(path, rest, line, &is_directory);
                rules.retain(|rule| !is_same(rule, &gone));
            }
            ["-a", list, ref rest @ ..] => rules.push(rule(list, rest, line)),
            ["-A", list, ref rest @ ..] => rules.insert(0, rule(list, rest, line)),
            ["-d", list, ref rest @ ..] => {
                let gone = rule(list, rest, line);
                rules.retain(|rule| !is_same(rule, &gone));
            }
            _ => {}
        }
    }
    rules
}

fn is_same(a: &AuditRule, b: &AuditRule) -> bool {
    (&a.list, &a.action, &a.path, &a.dir, &a.permissions)
        == (&b.list, &b.action, &b.path, &b.dir, &b.permissions)
}

/// `-w PATH [-p PERMISSIONS] [-k KEY]`.
fn watch(path: &str, options: &[&str], line: &str, is_directory: &impl Fn(&str) -> bool) -> AuditRule {
    let permissions = options.windows(2).find_map(|pair| match pair {
        ["-p", permissions] => Some(*permissions),
        _ => None,
    });
    let mut rule = AuditRule {
        list: "exit".to_owned(),
        action: "always".to_owned(),
        permissions: permissions.unwrap_or(ALL_PERMISSIONS).to_owned(),
        text: line.to_owned(),
        ..AuditRule::default()
    };
    let path = trim_slash(path);
    if is_directory(&path) {
        rule.dir = Some(path);
    } else {
        rule.path = Some(path);
    }
    rule
}

/// `-a LIST,ACTION` in either order, with conditions `-F FIELD=VALUE`.
fn rule(list: &str, options: &[&str], line: &str) -> AuditRule {
    let (list, action) = match list.split_once(',') {
        Some((action @ ("always" | "never" | "possible"), list)) => (list, action),
        Some((list, action)) => (list, action),
        None => (list, ""),
    };
    let mut rule = AuditRule {
        list: list.to_owned(),
        action: action.to_owned(),
        permissions: ALL_PERMISSIONS.to_owned(),
        text: line.to_owned(),
        ..AuditRule::default()
    };
    for pair in options.windows(2) {
        let ["-F", condition] = pair else { continue };
        match condition.split_once('=') {
            Some(("path", path)) => rule.path = Some(trim_slash(path)),
            Some(("dir", path)) => rule.dir = Some(trim_slash(path)),
            Some(("perm", permissions)) => permissions.clone_into(&mut rule.permissions),
            _ => {}
        }
    }
    rule
}

fn trim_slash(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let rules = parse(text, |path| path == "/etc/docker");
        rules
            .into_iter()
            .map(|r| {
                let (path, dir) = (r.path.unwrap_or_default(), r.dir.unwrap_or_default());
                format!("{},{} {path}|{dir} {}", r.list, r.action, r.permissions)
            })
            .collect()
    }

    #[test]
    fn watches_and_rules() {
        let text = "## Docker\n-D\n-b 8192\n-w /usr/bin/dockerd -k docker\n-w /etc/docker/ -p wa -k docker\n\
                    -a always,exit -F arch=b64 -F path=/usr/bin/runc -F perm=x -F auid>=1000 -k docker\n\
                    -a exit,never -F dir=/var/lib/docker/overlay2\n-e 2\n";
        assert_eq!(
            shown(text),
            [
                "exit,always /usr/bin/dockerd| rwxa",
                "exit,always |/etc/docker wa",
                "exit,always /usr/bin/runc| x",
                "exit,never |/var/lib/docker/overlay2 rwxa",
            ]
        );
    }

    #[test]
    fn rules_that_are_taken_back() {
        assert_eq!(shown("-w /a -p w\n-w /b\n-W /a -p w\n"), ["exit,always /b| rwxa"]);
        assert_eq!(shown("-W /usr/bin/dockerd -k docker\n"), [""; 0]);
        assert_eq!(shown("-a always,exit -F path=/a\n-d exit,always -F path=/a\n"), [""; 0]);
        assert_eq!(shown("-w /a\n-D\n"), [""; 0]);
        assert_eq!(shown("-w\n-a\n# -w /a\n"), [""; 0]);
    }
}
