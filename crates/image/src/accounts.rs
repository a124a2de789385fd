//! passwd(5) inside an image, and which user its `User` is.

use std::fmt;

/// Name, user id, group id of each account; malformed lines are passed over, as runc does.
pub fn parse(passwd: &str) -> Vec<(String, u32, u32)> {
    passwd.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<(String, u32, u32)> {
    let mut fields = line.trim().split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
    let _password = fields.next()?;
    Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Name and id of each group (group(5)).
pub fn parse_groups(group: &str) -> Vec<(String, u32)> {
    let parsed = group.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?;
        Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
    });
    parsed.collect()
}

/// Accounts whose password is empty: by passwd(5) itself, or, where an `x` says so, by shadow(5).
pub fn without_password(passwd: &str, shadow: &str) -> Vec<String> {
    let is_empty =
        |line: &str, name: &str| line.split(':').next() == Some(name) && line.split(':').nth(1) == Some("");
    let accounts = passwd.lines().map(str::trim).filter(|line| account(line).is_some());
    let named = accounts.filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        match rest.split(':').next()? {
            "" => Some(name),
            "x" => shadow.lines().any(|line| is_empty(line.trim(), name)).then_some(name),
            _ => None,
        }
    });
    named.map(str::to_owned).collect()
}

/// Why `User` names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchUser {
    user: String,
}

impl fmt::Display for NoSuchUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User {:?} is in no passwd file of the image", self.user)
    }
}

/// The user id that `User` (`name`, `uid`, `name:group`, `uid:gid`, or empty for root) starts with, as runc resolves
/// it (`libcontainer/user`): a number is a user id even where an account has that number as its name.
///
/// # Errors
/// When it is a name that no account has, or a number out of range: a container would not start.
pub fn resolve(user: &str, accounts: &[(String, u32, u32)]) -> Result<u32, NoSuchUser> {
    let name = user.split(':').next().unwrap_or_default();
    if name.is_empty() {
        return Ok(0);
    }
    if let Ok(uid) = name.parse::<i64>() {
        return u32::try_from(uid)
            .ok()
            .filter(|uid| *uid <= i32::MAX.unsigned_abs())
            .ok_or_else(|| NoSuchUser { user: user.to_owned() });
    }
    let account = accounts.iter().find(|(account, _, _)| account == name);
    account.map(|(_, uid, _)| *uid).ok_or_else(|| NoSuchUser { user: user.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_empty_passwords() {
        assert_eq!(
            parse_groups("root:x:0:\n+:::\nbad\napp:x:7:bob\nx:y:z\n"),
            [("root".into(), 0), ("app".into(), 7)]
        );
        let passwd = "root:x:0:0::/:\nopen::1:1::/:\nlocked:!:2:2::/:\nnone:x:3:3::/:\nhashed:x:4:4::/:\n";
        let shadow = "root::19000:0:::::\nhashed:$y$j9T$a$b:1::::::\nghost::1::::::\n";
        assert_eq!(without_password(passwd, shadow), ["root", "open"]);
        assert!(
            without_password(passwd, "root:*:1::::::\nnone:!:1::::::\n").iter().all(|name| name == "open")
        );
    }

    #[test]
    fn every_form_of_user() {
        let accounts = parse(
            "root:x:0:0:root:/root:/bin/bash\n\nbad\n#c:x:1:1\ntoor:x:0:0::/:\nmysql:x:101:102::/:\n42:x:7:7::/:\n",
        );
        assert_eq!(accounts.len(), 4);
        for (user, uid) in [
            ("", 0),
            ("0", 0),
            ("0:0", 0),
            ("root:root", 0),
            (":mysql", 0),
            ("toor", 0),
            ("mysql", 101),
            ("mysql:0", 101),
            ("65534:65534", 65534),
            ("42", 42),
            ("007", 7),
        ] {
            assert_eq!(resolve(user, &accounts), Ok(uid), "{user}");
        }
        for user in ["nobody", "-1", "2147483648", "root ", "Root"] {
            assert!(resolve(user, &accounts).is_err(), "{user}");
        }
    }
}
