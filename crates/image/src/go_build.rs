//! What Go's toolchain writes down about a build (`go version -m`), and which version that makes of the program.

/// Build information of a Go program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoBuild {
    /// Import path of the main package.
    pub main: String,
    /// Version of the main module, empty where it has none.
    pub module_version: String,
    /// Flags of the linker; left out by `-trimpath`.
    pub linker_flags: String,
    /// Version of the BuildKit that is compiled in, without a leading `v`; nothing where no module list names it.
    pub buildkit: Option<String>,
}

/// The module of BuildKit.
const BUILDKIT: &str = "github.com/moby/buildkit";

/// Undoes Go's quoting of a setting (strconv.Quote), as far as it is used for command lines.
fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.trim_matches('`').to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('t' | 'n' | 'r') => plain.push(' '),
            other => plain.extend(other),
        }
    }
    plain
}

impl GoBuild {
    /// Takes the lines `path`, `mod`, `dep` and `build -ldflags` of Go's description.
    pub fn of(description: &str) -> Self {
        let mut build = Self::default();
        let mut of_buildkit = false;
        for line in description.lines() {
            let mut columns = line.split('\t');
            let columns = (columns.next(), columns.next(), columns.next());
            // What stands in the place of a module follows it.
            of_buildkit = match columns.0 {
                Some("=>") => of_buildkit,
                first => first == Some("dep") && columns.1 == Some(BUILDKIT),
            };
            match columns {
                (Some("dep" | "=>"), _, Some(version)) if of_buildkit => {
                    build.buildkit = Some(version.trim_start_matches('v').to_owned());
                }
                (Some("path"), Some(path), _) => path.clone_into(&mut build.main),
                (Some("mod"), _, Some(version)) => version.clone_into(&mut build.module_version),
                (Some("build"), Some(setting), _) => {
                    if let Some(flags) = setting.strip_prefix("-ldflags=") {
                        build.linker_flags = unquote(flags);
                    }
                }
                _ => {}
            }
        }
        build
    }

    /// The program's own version, without a leading `v`: set by the linker (`-X …version.Version=1.2.3`), else that of
    /// the main module.
    pub fn version(&self) -> Option<String> {
        let set = self.set_variables().find_map(|(variable, value)| {
            let (package, name) = variable.rsplit_once('.')?;
            let package = package.rsplit('/').next()?;
            let is_version = name.eq_ignore_ascii_case("version")
                && matches!(package, "main" | "version" | "dockerversion");
            (is_version && value.starts_with(|c: char| c == 'v' || c.is_ascii_digit())).then_some(value)
        });
        let module = || {
            let version = self.module_version.trim_end_matches("+incompatible");
            // Made up by Go where the source has no tag.
            (!version.starts_with("v0.0.0-") && version.starts_with('v')).then(|| version.to_owned())
        };
        let version = set.or_else(module)?;
        Some(version.strip_prefix('v').map_or(version.clone(), str::to_owned))
    }

    /// Variables that the linker set (`-X VARIABLE=VALUE`).
    fn set_variables(&self) -> impl Iterator<Item = (String, String)> {
        let words = words(&self.linker_flags);
        let mut is_next = false;
        words.into_iter().filter_map(move |word| {
            let assignment = match word.strip_prefix("-X") {
                Some("") => {
                    is_next = true;
                    return None;
                }
                Some(rest) => rest.strip_prefix('=').unwrap_or(rest).to_owned(),
                None if is_next => word,
                None => return None,
            };
            is_next = false;
            let (variable, value) = assignment.split_once('=')?;
            Some((variable.to_owned(), value.to_owned()))
        })
    }
}

/// Words of a command line with quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in line.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => word.push(character),
            None if character == '"' || character == '\'' => quote = Some(character),
            None if character.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            None => word.push(character),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Debian's dockerd 20.10.24 carries it, shortened.
    const DOCKERD: &str = "path\tgithub.com/docker/docker/cmd/dockerd\nbuild\t-compiler=gc\nbuild\t-ldflags=\" \\t\\t-w \\t-X \\\"github.com/docker/docker/dockerversion.GitCommit=5d6db84\\\" \\t-X \\\"github.com/docker/docker/dockerversion.Version=20.10.24+dfsg1\\\" \\t-X \\\"github.com/docker/docker/dockerversion.PlatformName=\\\"\"\nbuild\tGOOS=linux\n";

    fn version(description: &str) -> Option<String> {
        GoBuild::of(description).version()
    }

    #[test]
    fn the_buildkit_that_is_compiled_in() {
        let buildkit = |modules: &str| GoBuild::of(modules).buildkit;
        let modules = "dep\tgithub.com/x/y\tv1.0.0\th1:x=\ndep\tgithub.com/moby/buildkit\tv0.17.3\th1:x=\n";
        assert_eq!(buildkit(modules).as_deref(), Some("0.17.3"));
        let replaced = format!("{modules}=>\tgithub.com/me/buildkit\tv0.18.0\th1:x=\ndep\tz\tv9\t\n");
        assert_eq!(buildkit(&replaced).as_deref(), Some("0.18.0"));
        assert_eq!(buildkit(DOCKERD), None);
    }

    #[test]
    fn versions() {
        assert_eq!(GoBuild::of(DOCKERD).main, "github.com/docker/docker/cmd/dockerd");
        assert_eq!(version(DOCKERD).as_deref(), Some("20.10.24+dfsg1"));
        let runc =
            "path\tgithub.com/opencontainers/runc\nmod\tgithub.com/opencontainers/runc\tv1.3.6+dirty\t\n";
        assert_eq!(version(runc).as_deref(), Some("1.3.6+dirty"));
        let docker = "mod\tgithub.com/docker/cli\tv28.2.2+incompatible\t\nbuild\t-ldflags=-s\n";
        assert_eq!(version(docker).as_deref(), Some("28.2.2"));
        assert_eq!(
            version("build\t-ldflags=\"-X 'main.version=v1.2' -X main.gitCommit=1\"\n").as_deref(),
            Some("1.2")
        );
        assert_eq!(version("build\t-ldflags=-X=main.version=1.2\n").as_deref(), Some("1.2"));
        assert_eq!(version("mod\tx\t(devel)\t\n"), None);
        assert_eq!(version("mod\tx\tv0.0.0-20250101000000-abcdef\t\n"), None);
        assert_eq!(version("build\t-ldflags=\"-X main.version= -X main.goversion=1\"\n"), None);
    }
}
