//! The command line, as one declaration: help, man pages and completions are made from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_registry::Platform;
use plimsoll_rules::Severity;

/// Audits a host that runs Docker: the kernel's own state, not what the engine was asked for.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  nothing at or above --fail-on, and every question above severity info could be answered
  1  findings at or above --fail-on
  2  the command line or plimsoll.toml is wrong
  3  an error ended the command
  4  something could not be known (5: and there are findings at or above --fail-on)";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge this host, or a facts file, and report.
    Audit(AuditArgs),
    /// Write down the facts of this host as JSON, to be judged anywhere by `audit --facts`.
    Facts(FactsArgs),
    /// Tell how images are built: their user, secrets, set-id files, leftovers, build steps, without running or exporting
    /// them. The same rules as in an audit.
    Lint(LintArgs),
    /// Tell what a change to a container, or an upgrade, would open and close, before anything is restarted.
    WhatIf(WhatIfArgs),
    /// Print the tightest options that leave a container's observed behaviour working.
    Harden(HardenArgs),
    /// Tell which published flaws the packages of images have, without running or exporting them.
    Scan(ScanArgs),
    /// List what is in images, as a bill of materials. Needs no advisories.
    Sbom(SbomArgs),
    /// Tell who vouches for images, by the digest that runs: Docker Content Trust, cosign by keys, or
    /// Notation, verified whole.
    Verify(VerifyArgs),
    /// Say which keys are trusted, and see what is known of repositories.
    Trust(TrustArgs),
    /// Tell who can connect to whom: containers, the host, and what is outside of it.
    Connections(ConnectionsArgs),
    /// Keep the advisories that `scan` and `audit` match packages with.
    Db(DbArgs),
    /// Tell all about one rule.
    Explain {
        /// The rule's id, or a control of the CIS Docker Benchmark 1.8 (`5.31`).
        rule: String,
    },
    /// List the rules.
    Rules,
    /// Print the JSON Schema of a document.
    Schema {
        /// Which document.
        document: Document,
    },
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// A document that plimsoll writes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Document {
    /// `plimsoll facts`.
    Facts,
    /// `plimsoll audit --format json`.
    Audit,
    /// `plimsoll scan --format json`.
    Scan,
    /// `plimsoll verify --format json`.
    Verify,
    /// `plimsoll connections --format json`.
    Connections,
    /// `plimsoll.toml`.
    Policy,
}

/// Where to look.
#[derive(Clone, Debug, Default, Args)]
pub struct Where {
    /// Engine to ask: a socket's path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it,
    /// DOCKER_HOST and the docker context decide, then the sockets that are found on this host.
    #[arg(long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Read the host's files below this directory instead of /.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that
    /// waits in a call which the kernel restarts by itself.
    #[arg(long)]
    pub stop_threads: bool,
}

/// `plimsoll audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Where to look.
    #[command(flatten)]
    pub place: Where,
    /// Judge this facts file instead of looking at the host; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "root", "stop_threads"])]
    pub facts: Option<PathBuf>,
    /// What to do with the answers.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Folder of the advisories, as for `db`.
    #[arg(long, value_name = "DIR")]
    pub db: Option<PathBuf>,
    /// Ask every TCP listener by a SYN from inside each container's network, and hold the answers against what was
    /// worked out. The kernel ends each at once: no program accepts a connection, but firewalls and logs may see the
    /// packets. Needs CAP_NET_RAW and CAP_SYS_ADMIN.
    #[arg(long, conflicts_with = "facts")]
    pub probe_syn: bool,
    /// Ask who vouches for every image and running container: whom the policy's `[[trust]]` demands, else Docker Content
    /// Trust by its pins. Asks registries and servers of signatures.
    #[arg(long, conflicts_with_all = ["facts", "redact"])]
    pub verify: bool,
    /// Replace names that could tell who you are, so that the report can be shared.
    #[arg(long)]
    pub redact: bool,
    /// Show the controls of the CIS Docker Benchmark instead, in the numbering of this version.
    #[arg(long, value_enum, value_name = "VERSION")]
    pub cis: Option<CisVersion>,
}

/// What to do with the answers of rules.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Format of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write the report to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Policy: a plimsoll.toml, or `baseline`, `strict`, `cis-docker`. Without it, ./plimsoll.toml or
    /// /etc/plimsoll/plimsoll.toml where there is one, else `baseline`.
    #[arg(long, value_name = "FILE|NAME")]
    pub policy: Option<PathBuf>,
    /// Exit with 1 when there are findings of this severity or worse; stands above the policy's own `fail-on`.
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub fail_on: Option<Severity>,
    /// Name every subject and every fact, where the terminal and Markdown reports show the first few.
    #[arg(long)]
    pub full: bool,
}

/// `plimsoll lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// What to judge, as for `scan`.
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<String>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// Engine that has the images, as for `audit`.
    #[arg(long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// What to do with the answers.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `plimsoll connections`.
#[derive(Debug, Args)]
pub struct ConnectionsArgs {
    /// Where to look.
    #[command(flatten)]
    pub place: Where,
    /// Work it out from this facts file instead of looking at the host; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "root"])]
    pub facts: Option<PathBuf>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: ConnectionsFormat,
    /// Write the report to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace names that could tell who you are.
    #[arg(long)]
    pub redact: bool,
    /// Name everybody, and show what blocks those that reach nothing, where the terminal shows who gets through.
    #[arg(long)]
    pub full: bool,
}

/// Format of the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ConnectionsFormat {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// Everything, versioned (`plimsoll schema connections`).
    Json,
    /// One self-contained page: a matrix.
    Html,
}

/// `plimsoll what-if`.
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// The container, by name or the beginning of its id.
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Where to look.
    #[command(flatten)]
    pub place: Where,
    /// Drop a capability; ALL drops all. As docker run's, and may be repeated.
    #[arg(long, value_name = "CAP")]
    pub cap_drop: Vec<String>,
    /// Add a capability.
    #[arg(long, value_name = "CAP")]
    pub cap_add: Vec<String>,
    /// no-new-privileges, seccomp=unconfined, seccomp=builtin.
    #[arg(long, value_name = "OPTION")]
    pub security_opt: Vec<String>,
    /// Run as this user, by number.
    #[arg(long, value_name = "UID")]
    pub user: Option<String>,
    /// Leave out an option that it was made with: '--cap-add CAP', --device (each of them), '--pid MODE', --privileged,
    /// '--security-opt seccomp=unconfined'.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub without: Vec<String>,
    /// The network that it is in.
    #[arg(long, value_name = "NETWORK", value_enum)]
    pub network: Option<NetworkMode>,
    /// Leave out the mount at this path of the container.
    #[arg(long, value_name = "PATH")]
    pub without_mount: Vec<String>,
    /// Mount the path of the host at this path of the container read-only.
    #[arg(long, value_name = "PATH")]
    pub read_only_mount: Vec<String>,
    /// Do not publish this port of the container.
    #[arg(long, value_name = "PORT")]
    pub unpublish: Vec<u16>,
    /// Upgrade this package of the host to where its flaws are fixed, and restart what runs it.
    #[arg(long, value_name = "PACKAGE")]
    pub upgrade: Vec<String>,
    /// Format.
    #[arg(long, value_enum, default_value_t)]
    pub format: WhatIfFormat,
}

/// A network that needs no engine to know what it connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NetworkMode {
    /// None but loopback.
    None,
}

/// `plimsoll harden`.
#[derive(Debug, Args)]
pub struct HardenArgs {
    /// The container, by name or the beginning of its id.
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Where to look.
    #[command(flatten)]
    pub place: Where,
    /// Format.
    #[arg(long, value_enum, default_value_t)]
    pub format: WhatIfFormat,
}

/// Format of an answer of `what-if` and `harden`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WhatIfFormat {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// Everything, versioned.
    Json,
}

/// `plimsoll facts`.
#[derive(Debug, Args)]
pub struct FactsArgs {
    /// Where to look.
    #[command(flatten)]
    pub place: Where,
    /// Replace names that could tell who you are. The lists of packages are left out; what is published about them, by
    /// the advisories that are there, stays.
    #[arg(long)]
    pub redact: bool,
    /// Folder of the advisories for `--redact`, as for `db`.
    #[arg(long, value_name = "DIR", requires = "redact")]
    pub db: Option<PathBuf>,
    /// Write to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `plimsoll scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// What to scan: an image of the engine by name or id, registry:NAME:TAG or registry:NAME@DIGEST,
    /// docker-archive:PATH, oci:PATH, dir:PATH, or a path.
    #[arg(required_unless_present = "sbom", value_name = "IMAGE")]
    pub images: Vec<String>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// Scan what this bill of materials lists (CycloneDX or SPDX 2, JSON, with package URLs); `-` reads standard
    /// input. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub sbom: Vec<PathBuf>,
    /// What somebody says about flaws (OpenVEX, CSAF 2.0 VEX): those that do no harm do not count. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub vex: Vec<PathBuf>,
    /// Engine that has the images, as for `audit`.
    #[arg(long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Folder of the advisories, as for `db`.
    #[arg(long, value_name = "DIR")]
    pub db: Option<PathBuf>,
    /// Policy whose exceptions for published flaws count, as for `audit`.
    #[arg(long, value_name = "FILE|NAME")]
    pub policy: Option<PathBuf>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: ScanFormat,
    /// Write the report to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 1 when there are flaws of this severity or worse.
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub fail_on: Option<Severity>,
    /// Leave out flaws that have no fix yet.
    #[arg(long)]
    pub only_fixed: bool,
    /// Name every flaw, where the terminal shows the first few.
    #[arg(long)]
    pub full: bool,
}

/// How registries are spoken to.
#[derive(Clone, Debug, Default, Args)]
pub struct RegistryArgs {
    /// Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it,
    /// linux on this machine's architecture.
    #[arg(long, value_name = "OS/ARCH", value_parser = parse_platform)]
    pub platform: Option<Platform>,
    /// Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost,
    /// 127.0.0.0/8, [::1]).
    #[arg(long, value_name = "HOST[:PORT]")]
    pub plain_http: Vec<String>,
}

/// Format of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// Everything, versioned (`plimsoll schema scan`).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// CycloneDX 1.6 JSON: packages and flaws.
    Cyclonedx,
    /// SPDX 2.3 JSON: packages, with flaws as security references.
    Spdx,
    /// One self-contained page.
    Html,
    /// For a comment or a wiki.
    Markdown,
}

/// `plimsoll sbom`.
#[derive(Debug, Args)]
pub struct SbomArgs {
    /// What to list, as for `scan`.
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<String>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// Engine that has the images, as for `audit`.
    #[arg(long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Format of the bill.
    #[arg(long, value_enum, default_value_t)]
    pub format: SbomFormat,
    /// Write the bill to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Format of a bill of materials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SbomFormat {
    /// CycloneDX 1.6 JSON.
    #[default]
    Cyclonedx,
    /// SPDX 2.3 JSON.
    Spdx,
}

/// `plimsoll verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What to verify: an image by name, digest or id, as it is on this host, else as its registry has it;
    /// registry:NAME, as the registry has it; container:NAME, what it runs from.
    #[arg(required_unless_present_any = ["all", "compose"], value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Verify the image of each service of this compose file too. May be repeated: a later file stands above the earlier
    /// ones. Variables are those of the environment, else of the file .env beside the first.
    #[arg(long, value_name = "FILE")]
    pub compose: Vec<PathBuf>,
    /// Verify every image of the engine, and what every running container runs from.
    #[arg(long, conflicts_with_all = ["images", "compose"])]
    pub all: bool,
    /// Engine that has the images, as for `audit`.
    #[arg(long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine. The servers
    /// of trust data are always spoken to over TLS.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub plain_http: Vec<String>,
    /// Believe the first root keys that a server shows of a repository of which nothing is known, as the docker client
    /// always does. They are remembered. `plimsoll trust pin` is better.
    #[arg(long)]
    pub trust_on_first_use: bool,
    /// Ask no server: what was accepted before counts until it expires.
    #[arg(long)]
    pub offline: bool,
    /// Policy whose `[[trust]]` says who must vouch, as for `audit`. Without such, Docker Content Trust by its pins.
    #[arg(long, value_name = "FILE|NAME", conflicts_with_all = ["cosign", "notation"])]
    pub policy: Option<PathBuf>,
    /// Verify cosign's signatures by this public key (PEM), whatever the policy says. May be repeated: what one of
    /// the keys signed is enough.
    #[arg(long, value_name = "FILE", group = "cosign", conflicts_with_all = ["trust_on_first_use", "offline", "trust"])]
    pub key: Vec<PathBuf>,
    /// Verify cosign's signatures by certificates (keyless), without network, by this trusted_root.json of sigstore.
    #[arg(
        long,
        value_name = "FILE",
        requires = "certificate_oidc_issuer",
        requires = "identity",
        group = "cosign",
        conflicts_with_all = ["trust_on_first_use", "offline", "trust"]
    )]
    pub trusted_root: Option<PathBuf>,
    /// Who must have signed, by the name in the certificate: a mail address, or the URI of a workflow.
    #[arg(
        long,
        visible_alias = "identity",
        value_name = "NAME",
        group = "identity",
        requires = "trusted_root"
    )]
    pub certificate_identity: Option<String>,
    /// The same, as a regular expression that matches the whole name.
    #[arg(long, value_name = "REGEXP", group = "identity", requires = "trusted_root")]
    pub certificate_identity_regexp: Option<String>,
    /// Who must have identified the signer: the URL of an OpenID Connect issuer.
    #[arg(long, visible_alias = "issuer", value_name = "URL", requires = "trusted_root")]
    pub certificate_oidc_issuer: Option<String>,
    /// Tell also what else they signed about the image: how it was built (SLSA provenance), what is in it (SBOM), which flaws
    /// it has (VEX).
    #[arg(long, requires = "cosign")]
    pub attestations: bool,
    /// Verify Notation's signatures, whatever the policy says, by its own trust policy and trust store ($XDG_CONFIG_HOME/notation).
    #[arg(long, conflicts_with_all = ["key", "trusted_root", "trust_on_first_use", "offline", "trust"])]
    pub notation: bool,
    /// Folder of what is trusted, as for `trust`.
    #[arg(long, value_name = "DIR")]
    pub trust: Option<PathBuf>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: VerifyFormat,
    /// Write the report to this file (whole or not at all) instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Format of a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// Everything, versioned (`plimsoll schema verify`).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// `plimsoll trust`.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Folder of what is trusted. Without it $PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and
    /// ~/.local/share/plimsoll/trust for others.
    #[arg(long, global = true, value_name = "DIR")]
    pub trust: Option<PathBuf>,
    /// What to do with it.
    #[command(subcommand)]
    pub command: TrustCommand,
}

/// What to do with what is trusted.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust a repository by these root keys alone. Replaces those pinned before.
    Pin {
        /// The repository, such as docker.io/library/alpine.
        repository: String,
        /// Ids of root keys, 64 hexadecimal digits each.
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Tell what is pinned, and what is known of repositories.
    List,
    /// Forget the pins of a repository and what is known of it: the next verification begins anew.
    Forget {
        /// The repository.
        repository: String,
    },
}

/// `plimsoll db`.
#[derive(Debug, Args)]
pub struct DbArgs {
    /// Folder of the database. Without it $PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and
    /// ~/.local/share/plimsoll/advisories for others.
    #[arg(long, global = true, value_name = "DIR")]
    pub db: Option<PathBuf>,
    /// What to do with it.
    #[command(subcommand)]
    pub command: DbCommand,
}

/// What to do with the advisories.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Fetch the archives that OSV publishes, where they changed.
    Update {
        /// Fetch from a mirror of OSV's exports instead.
        #[arg(long, value_name = "URL")]
        from: Option<String>,
        /// Ecosystems, as OSV calls them (`Debian`, `Rocky Linux`, `Go`); without any, all that plimsoll matches.
        ecosystems: Vec<String>,
    },
    /// Take advisories from files: a zip archive or a folder of OSV records, single records, CISA's catalogue
    /// (KEV), EPSS scores. Needs no network, unless a source is a URL.
    Import {
        /// What to import.
        #[arg(required = true, value_name = "PATH|URL")]
        sources: Vec<PathBuf>,
    },
    /// Tell what is there, how old it is, and what is wrong with it.
    Status,
}

/// Format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// Everything, versioned (`plimsoll schema audit`).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for CI.
    Junit,
    /// One self-contained page.
    Html,
    /// For a comment or a wiki.
    Markdown,
}

/// Version of the CIS Docker Benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CisVersion {
    /// 1.6.0.
    #[value(name = "1.6")]
    V1_6,
    /// 1.7.0.
    #[value(name = "1.7")]
    V1_7,
    /// 1.8.0.
    #[value(name = "1.8")]
    V1_8,
}

fn parse_platform(text: &str) -> Result<Platform, String> {
    text.parse()
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::WORST_FIRST
        .into_iter()
        .find(|severity| severity.id() == text)
        .ok_or_else(|| "one of critical, high, medium, low, info".to_owned())
}
