//! Whether the kernel's audit rules watch a file (auditctl(8)).

use plimsoll_facts::AuditRule;

/// Accesses that change a file: writing, and its attributes (owner, mode).
const CHANGES: [char; 2] = ['w', 'a'];

/// A file, directory or socket that should be watched.
pub(super) struct Watched {
    pub(super) path: String,
    pub(super) directory: bool,
    /// The control that asks for it.
    pub(super) control: &'static str,
}

/// The rule that audits changes of a file. The kernel takes the first that matches, so a `never` before it wins.
pub(super) fn covering<'a>(rules: &'a [AuditRule], file: &Watched) -> Option<&'a AuditRule> {
    let mut missing: Vec<char> = CHANGES.to_vec();
    for rule in rules.iter().filter(|rule| rule.list == "exit" && concerns(rule, file)) {
        let covers = |access: &char| rule.permissions.is_empty() || rule.permissions.contains(*access);
        match rule.action.as_str() {
            "never" if missing.iter().any(covers) && !is_narrow(rule) => return None,
            "always" if !is_narrow(rule) => missing.retain(|access| !covers(access)),
            _ => continue,
        }
        if missing.is_empty() {
            return Some(rule);
        }
    }
    None
}

fn concerns(rule: &AuditRule, file: &Watched) -> bool {
    let path = canonical(&file.path);
    if let Some(watched) = &rule.path {
        return !file.directory && canonical(watched) == path;
    }
    let Some(directory) = rule.dir.as_deref().map(canonical) else { return false };
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    directory == "/" || path.strip_prefix(directory.as_str()).is_some_and(below)
}

/// Whether a rule holds for some callers, calls or results only. Those of people who logged in (`auid`) are whom a watch
/// is for.
pub(super) fn is_narrow(rule: &AuditRule) -> bool {
    const WIDE: [&str; 8] = ["path", "dir", "perm", "arch", "auid", "key", "filterkey", "filetype"];
    let words: Vec<_> = rule.text.split_whitespace().collect();
    words.windows(2).any(|pair| match pair {
        ["-F", condition] => {
            let field = condition.split(['=', '!', '<', '>', '&']).next().unwrap_or_default();
            !WIDE.contains(&field)
        }
        ["-S", call] => *call != "all",
        _ => false,
    })
}

/// A path by the name that merged distributions and systemd's `/run` give it.
pub(super) fn canonical(path: &str) -> String {
    const ALIASES: [(&str, &str); 4] =
        [("/var/run/", "/run/"), ("/lib/", "/usr/lib/"), ("/bin/", "/usr/bin/"), ("/sbin/", "/usr/sbin/")];
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let alias = ALIASES.iter().find_map(|(from, to)| Some(format!("{to}{}", path.strip_prefix(from)?)));
    alias.unwrap_or_else(|| path.to_owned())
}
