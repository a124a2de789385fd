//! Whom sudoers(5) lets run every command without a password.

/// The users, `%groups` and aliases of such entries, as written.
pub(crate) fn without_password(sudoers: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut entry = String::new();
    for line in sudoers.lines() {
        entry.push_str(line.trim_end());
        // A backslash at the end of a line continues it.
        if entry.ends_with('\\') {
            entry.pop();
            continue;
        }
        found.extend(allowed(&entry).map(str::to_owned));
        entry.clear();
    }
    found
}

/// `USER HOST=(RUNAS) NOPASSWD: ALL`, several tags and commands allowed.
fn allowed(entry: &str) -> Option<&str> {
    let (users, commands) = entry.split_once('=')?;
    let user = users.split_whitespace().next().filter(|user| !user.starts_with('#'))?;
    if user.starts_with("Defaults") || user.ends_with("_Alias") {
        return None;
    }
    let (_, commands) = commands.split_once("NOPASSWD:")?;
    // From there on to the end, or to where a tag takes it back.
    let commands = commands.split("PASSWD:").next().unwrap_or_default();
    let mut commands =
        commands.split(',').map(|command| command.rsplit(':').next().unwrap_or_default().trim());
    commands.any(|command| command == "ALL").then_some(user)
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn entries() {
        let sudoers = "\
            # bob ALL=(ALL) NOPASSWD: ALL\n\
            Defaults env_keep += \"A\"\n\
            User_Alias ADMINS = bob NOPASSWD: ALL\n\
            root ALL=(ALL:ALL) ALL\n\
            app ALL=(ALL) NOPASSWD: ALL\n\
            %wheel ALL=(ALL) NOPASSWD:SETENV: ALL\n\
            %sudo ALL=(ALL:ALL) ALL\n\
            carol ALL = NOPASSWD: \\\n  /bin/true, ALL\n\
            dave ALL=(ALL) NOPASSWD: /usr/bin/apt-get, PASSWD: ALL\n\
            erin\tALL=(ALL)\tNOPASSWD: /sbin/reboot\n\
            @includedir /etc/sudoers.d\n";
        assert_eq!(without_password(sudoers), ["app", "%wheel", "carol"]);
        assert!(without_password("\\").is_empty());
    }
}
