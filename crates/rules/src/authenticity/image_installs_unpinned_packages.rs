use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::history::{commands, instructions, program};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-installs-unpinned-packages",
    title: "A build step installs whatever version of a package is newest",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "pip, npm, gem, go and cargo take what was published last: who takes over a maintainer's account is in the next build, \
          as happened many times, and two builds of one Dockerfile differ. Packages of a distribution are left out: it signs and \
          tests them, and takes old versions away when they are mended.",
    fix: "pip install --require-hashes -r requirements.txt, npm ci, bundle install with its lock file, go install MODULE@VERSION, \
          cargo install --locked NAME@VERSION. Build again; containers go on until they are recreated.",
    references: &[
        "https://pip.pypa.io/en/stable/topics/secure-installs/",
        "https://docs.npmjs.com/cli/commands/npm-ci",
    ],
    cis: &["4.11"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let steps: Vec<_> = instructions(&config.history).filter(|step| step.keyword == "RUN").collect();
    if steps.is_empty() {
        return not_applicable("no build step of it runs a command");
    }
    let mut found: Vec<String> =
        steps.iter().flat_map(|step| commands(step.text)).flat_map(|words| unpinned(&words)).collect();
    found.sort();
    found.dedup();
    let Some(first) = found.first() else {
        return pass(Evidence::new("packages of languages without a version", "none", source));
    };
    let message = match found.len() {
        1 => format!("{first} was installed in whatever version was newest"),
        n => format!("{first} and {} more were installed in whatever version was newest", n - 1),
    };
    let one = |package: &String| Evidence::new("installed by", package.clone(), source).expected("a version");
    fail(Problem::new(message, shortened(&found, one, "packages")).confidence(Confidence::Medium))
}

/// Packages that a command installs without saying which version, each with its manager.
fn unpinned(words: &[&str]) -> Vec<String> {
    let (manager, words) = match program(words) {
        name if name.starts_with("python") && words.get(1..3) == Some(&["-m", "pip"]) => ("pip", &words[2..]),
        name if name.starts_with("pip") && !name.starts_with("pipx") && !name.starts_with("pipenv") => ("pip", words),
        name @ ("npm" | "gem" | "go" | "cargo") => (name, words),
        _ => return Vec::new(),
    };
    let Some(manager) = MANAGERS.iter().find(|it| it.name == manager) else { return Vec::new() };
    let mut rest = words.iter().skip(1).copied().skip_while(|word| word.starts_with('-'));
    let verb = rest.next().unwrap_or_default();
    let rest: Vec<&str> = rest.collect();
    let options = || rest.iter().map(|word| word.split('=').next().unwrap_or_default());
    if !manager.verbs.contains(&verb) || options().any(|option| manager.pins.contains(&option)) {
        return Vec::new();
    }
    let packages = arguments(&rest, manager.with_value);
    packages
        .filter(|package| is_name(package) && !(manager.is_pinned)(package))
        .map(|package| format!("{} {package}", manager.name))
        .collect()
}

/// What is neither an option nor an option's value, up to a redirection.
fn arguments<'a>(words: &'a [&'a str], with_value: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let redirects = |word: &str| word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['>', '<']);
    let mut words = words.iter().copied().take_while(move |word| !redirects(word) && !word.starts_with('#'));
    std::iter::from_fn(move || {
        loop {
            let word = words.next()?;
            if with_value.contains(&word) {
                words.next();
            } else if !word.starts_with('-') {
                return Some(word);
            }
        }
    })
}

/// Not a path, an address, an archive or a variable.
fn is_name(word: &str) -> bool {
    let archive = [".whl", ".tar.gz", ".tgz", ".zip", ".gem"].iter().any(|ending| word.ends_with(ending));
    !archive && !word.starts_with(['.', '/', '~', '$', '*', '"']) && !word.contains("://") && !word.contains('$')
        && !word.starts_with("git+") && !word.starts_with("file:") && !word.is_empty()
}

struct Manager {
    name: &'static str,
    verbs: &'static [&'static str],
    /// Options by which the versions come from elsewhere.
    pins: &'static [&'static str],
    /// Options whose value is the next word.
    with_value: &'static [&'static str],
    is_pinned: fn(&str) -> bool,
}

const MANAGERS: [Manager; 5] = [
    Manager {
        name: "pip",
        verbs: &["install"],
        pins: &["-r", "--requirement", "-c", "--constraint", "-e", "--editable", "--require-hashes", "--no-index"],
        with_value: &[
            "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--root",
            "--trusted-host", "--proxy", "--timeout", "--src", "--cache-dir", "--no-binary", "--only-binary", "--platform",
            "--python-version", "--upgrade-strategy", "--progress-bar", "--root-user-action",
        ],
        is_pinned: |package| package.contains("==") || package.contains("~=") || package.contains('@'),
    },
    Manager {
        name: "npm",
        verbs: &["install", "i", "add"],
        pins: &[],
        with_value: &["--prefix", "--registry", "--cache", "-C", "--tag", "--omit", "--include", "-w"],
        // `@scope/name@1.2`: the first character is no version's.
        is_pinned: |package| {
            let version = package.get(1..).and_then(|rest| rest.rsplit_once('@')).map(|(_, version)| version);
            version.is_some_and(|version| !matches!(version, "latest" | "next"))
        },
    },
    Manager {
        name: "gem",
        verbs: &["install"],
        pins: &["-v", "--version", "-g", "--file"],
        with_value: &["--source", "-i", "--install-dir", "-n", "--bindir"],
        is_pinned: |package| package.contains(':'),
    },
    Manager {
        name: "go",
        verbs: &["install", "get"],
        pins: &[],
        with_value: &["-ldflags", "-tags", "-o", "-mod", "-C"],
        is_pinned: |package| match package.split_once('@') {
            Some((_, version)) => matches!(version.as_bytes(), [b'v' | b'0'..=b'9', ..]),
            // A package of the module that is being built.
            None => !package.split('/').next().is_some_and(|host| host.contains('.')),
        },
    },
    Manager {
        name: "cargo",
        verbs: &["install"],
        pins: &["--version", "--vers", "--path", "--git"],
        with_value: &["--root", "--features", "-F", "--bin", "--target", "--profile", "-j", "--index", "--registry"],
        is_pinned: |package| package.contains('@'),
    },
];

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{built, denied, image};
    use crate::testing::{answer, status_of};

    #[test]
    fn newest_of_every_manager() {
        let bad = [
            ("/bin/sh -c pip install --no-cache-dir flask gunicorn==21.2", "pip flask"),
            ("RUN /bin/sh -c python3 -m pip install -U 'requests>=2' # buildkit", "pip requests>=2"),
            ("/bin/sh -c npm install -g @vue/cli@latest", "npm @vue/cli@latest"),
            ("/bin/sh -c npm i --omit dev express > /dev/null", "npm express"),
            ("/bin/sh -c gem install bundler", "gem bundler"),
            ("/bin/sh -c CGO_ENABLED=0 go install golang.org/x/tools/gopls@latest", "go golang.org/x/tools/gopls@latest"),
            ("/bin/sh -c cargo install --locked ripgrep", "cargo ripgrep"),
        ];
        for (step, package) in bad {
            let found = answer(&RULE, &built(&[step]));
            assert_eq!((found.status, found.evidence[0].value.as_str()), (Status::Fail, package), "{step}");
        }
    }

    /// Among them what hadolint's DL3013, DL3016, DL3028 and DL3062 were reported for.
    #[test]
    fn versions_that_come_from_somewhere() {
        let good = [
            "/bin/sh -c pip install -r requirements.txt",
            "/bin/sh -c pip install --constraint=c.txt flask",
            "/bin/sh -c pip install . ./wheels/x.whl git+https://x.example/a@v1",
            "/bin/sh -c pip install --index-url https://i.example 'flask[async]==3.0' django~=5.1 $EXTRA",
            "/bin/sh -c pipenv install flask",
            "/bin/sh -c npm ci && npm install && npm install -g npm@10.2 ./local",
            "/bin/sh -c gem install bundler -v 2.5 && gem install rake:13.0",
            "/bin/sh -c go install ./... && go install example.com/x@v1.2.3 && go get -d",
            "/bin/sh -c cargo install --path . && cargo install ripgrep@14.1.0",
            "/bin/sh -c apt-get install -y curl && apk add curl",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Pass, "{step}");
        }
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
