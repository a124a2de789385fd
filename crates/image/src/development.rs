//! Files that developers have and a service does not need: repositories, histories, recipes of images, core dumps.

/// How much of a file tells whether it is a core dump.
pub(crate) const CORE_HEAD: usize = 18;

/// Directories of libraries: what is in them came with a package and was made by somebody else.
const OF_LIBRARIES: [&[u8]; 7] =
    [b"node_modules", b"vendor", b"site-packages", b"dist-packages", b"gems", b"mod", b"testdata"];

/// Whether a file is one by its name. Of a repository it is the file that every one has.
pub(crate) fn is_named(dir: &[u8], name: &[u8]) -> bool {
    let parent = dir.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let named = match name {
        b"HEAD" => parent == b".git",
        b"wc.db" => parent == b".svn",
        b"requires" => parent == b".hg",
        b"workspace.xml" => parent == b".idea",
        b"settings.json" | b"launch.json" => parent == b".vscode",
        b".bash_history" | b".ash_history" | b".sh_history" | b".zsh_history" | b".python_history"
        | b".mysql_history" | b".mariadb_history" | b".psql_history" => true,
        b"Dockerfile"
        | b"Containerfile"
        | b".dockerignore"
        | b"docker-compose.yml"
        | b"docker-compose.yaml"
        | b"compose.yml"
        | b"compose.yaml"
        | b".vimrc" => !dir.starts_with(b"usr/") && !dir.starts_with(b"etc"),
        _ => false,
    };
    named && !dir.split(|byte| *byte == b'/').any(|part| OF_LIBRARIES.contains(&part))
}

/// What is told of it: of a repository or an editor's folder, the folder.
pub(crate) fn place(path: &[u8]) -> &[u8] {
    let dir = path.iter().rposition(|byte| *byte == b'/').map(|slash| &path[..slash]);
    let folder = |dir: &&[u8]| {
        let name = dir.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        matches!(name, b".git" | b".svn" | b".hg" | b".idea" | b".vscode")
    };
    dir.filter(folder).unwrap_or(path)
}

/// `core`, or `core.PID` (core(5)).
pub(crate) fn may_be_core(name: &[u8]) -> bool {
    name.strip_prefix(b"core").is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix(b".")
                .is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit))
    })
}

/// Whether the beginning of a file is a core dump's: ELF of type `ET_CORE` (elf(5)).
pub(crate) fn is_core(head: &[u8]) -> bool {
    let kind = head.get(16..CORE_HEAD);
    head.starts_with(b"\x7fELF") && matches!(kind, Some([4, 0] | [0, 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_developers_leave() {
        for (dir, name) in [
            ("app/.git", "HEAD"),
            ("", "Dockerfile"),
            ("root", ".bash_history"),
            ("srv/.idea", "workspace.xml"),
        ] {
            assert!(is_named(dir.as_bytes(), name.as_bytes()), "{dir}/{name}");
        }
        // What other tools report in libraries and distributions.
        for (dir, name) in [
            ("app/node_modules/x", "Dockerfile"),
            ("usr/lib/python3/site-packages/x", "Dockerfile"),
            ("go/pkg/mod/example.com/x@v1", "Dockerfile"),
            ("app", "HEAD"),
            ("root/buildinfo", "Dockerfile-ubi9-9.4"),
            ("etc/vim", ".vimrc"),
        ] {
            assert!(!is_named(dir.as_bytes(), name.as_bytes()), "{dir}/{name}");
        }
        assert_eq!(place(b"app/.git/HEAD"), b"app/.git");
        assert_eq!(place(b"app/Dockerfile"), b"app/Dockerfile");
        assert_eq!(place(b"Dockerfile"), b"Dockerfile");
    }

    #[test]
    fn core_dumps() {
        assert!(
            may_be_core(b"core")
                && may_be_core(b"core.17")
                && !may_be_core(b"core.js")
                && !may_be_core(b"corel")
        );
        let mut head = b"\x7fELF\x02\x01\x01".to_vec();
        head.resize(16, 0);
        assert!(is_core(&[head.as_slice(), &[4, 0]].concat()));
        assert!(!is_core(&[head.as_slice(), &[3, 0]].concat()) && !is_core(&head));
    }
}
