//! A program that tries every gate, in a container.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::engines::Tried;
use super::kinds::{self, By, Kind};
use crate::docker::{self, docker, label};

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whose processes on the host are tried to be taken over.
const VICTIMS: [u32; 2] = [0, 1000];
/// Goes into a container's cgroups, with the host's root as descriptor 3, and runs a command.
const JOIN: &str = r#"for list in /sys/fs/cgroup/*/docker/"$1"/cgroup.procs /sys/fs/cgroup/docker/"$1"/cgroup.procs; do
    [ ! -e "$list" ] || echo $$ >"$list" || exit 1
done
shift
exec 3</
exec "$@""#;

/// An engine, and what its containers share.
pub(super) struct Stage<'e> {
    engine: &'e dyn Tried,
    folder: TempDir,
    program: PathBuf,
    victims: Vec<Child>,
}

impl<'e> Stage<'e> {
    pub(super) fn of(engine: &'e dyn Tried) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // The engine may be another user's.
        docker::text(run("chmod", &["755", &folder.path().to_string_lossy()])?)?;
        let program = compile(folder.path())?;
        let victim = |uid: &u32| Command::new("sleep").arg("900").uid(*uid).spawn();
        let victims: Result<_, _> = VICTIMS.iter().map(victim).collect();
        Ok(Self { engine, folder, program, victims: victims.map_err(|error| error.to_string())? })
    }

    pub(super) fn kinds(&self) -> Result<Vec<Kind>, String> {
        kinds::kinds(self.engine.kinds(), self.folder.path())
    }

    /// Starts a container of this kind, and the program in it.
    pub(super) fn begin(&self, kind: Kind) -> Result<Trial, String> {
        let name = format!("plt-{}-{}", std::process::id(), kind.name);
        let host = self.engine.host();
        let volume = format!("{}:/inside:ro", self.program.display());
        let victims: Vec<String> = self.victims.iter().map(|victim| victim.id().to_string()).collect();
        let inside = ["/inside", &victims.join(",")];
        let first = match kind.by {
            By::Run(arguments) => [&inside, arguments].concat(),
            By::RunBeside(_) => inside.to_vec(),
            _ => vec!["sleep", "900"],
        };
        let options: Vec<&str> = kind.options.iter().map(String::as_str).collect();
        let fixed = ["-H", &host, "run", "-d", "--label", &label(), "--name", &name, "-v", &volume];
        docker(&[&fixed, &options[..], &[self.engine.image()], &first].concat())?;
        let of_container = |what| docker(&["-H", &host, "inspect", "-f", what, &name]);
        let target = of_container("{{.State.Pid}}")?;
        let logs = command("docker", &["-H", &host, "logs", "-f", &name]);
        let mut beside = None;
        let mut followed = match kind.by {
            By::Run(_) => logs,
            By::RunBeside(options) => {
                beside = Some(command("nsenter", &[&["-t", &target], options, &["sleep", "900"]].concat()));
                logs
            }
            By::Exec(options) => {
                command("docker", &[&["-H", &host, "exec"], options, &[&name], &inside[..]].concat())
            }
            By::Nsenter(options) => {
                let program =
                    if options.contains(&"-m") { inside[0] } else { &self.program.to_string_lossy() };
                command("nsenter", &[&["-t", &target], options, &[program], &inside[1..]].concat())
            }
            By::Joined(options) => {
                let join = ["-c", JOIN, "sh", &of_container("{{.Id}}")?, "nsenter", "-t", &target];
                command("sh", &[&join, options, &inside].concat())
            }
        };
        let output = self.folder.path().join(&kind.name);
        followed.stdout(file(&output)?);
        let mut trial = Trial { name, output, children: Vec::new() };
        for mut command in [followed].into_iter().chain(beside) {
            let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
            trial.children.push(child.map_err(|error| error.to_string())?);
        }
        Ok(trial)
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.victims.iter_mut().for_each(end);
    }
}

/// One container in which the program runs.
pub(super) struct Trial {
    /// The container's name.
    pub(super) name: String,
    output: PathBuf,
    /// The first waits for the program, or follows what it writes.
    children: Vec<Child>,
}

impl Trial {
    /// What the program found, once it is done; then it alone stays in the container.
    pub(super) fn found(&mut self) -> Result<BTreeMap<String, String>, String> {
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(&self.output).unwrap_or_default();
            if log.lines().any(|line| line == "done") {
                let line = |line: &str| {
                    line.split_once(' ').map(|(gate, found)| (gate.to_owned(), found.to_owned()))
                };
                self.children.first_mut().map(end);
                return Ok(log.lines().filter_map(line).collect());
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{} is not done: {log}", self.name));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(end);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn compile(folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/gates/inside.c");
    let program = folder.join("inside");
    let (source, target) = (source.to_string_lossy(), program.to_string_lossy());
    docker::text(run("cc", &["-O1", "-static", "-o", &target, &source])?)?;
    Ok(program)
}

fn run(program: &str, arguments: &[&str]) -> Result<std::process::Output, String> {
    command(program, arguments).output().map_err(|error| format!("{program}: {error}"))
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn file(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| error.to_string())
}
