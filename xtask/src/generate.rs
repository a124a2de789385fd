//! The files that are made from code, and the check that they are current.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use plimsoll::cli::Cli;

/// Folders that hold generated files and nothing else.
const FOLDERS: [&str; 4] = ["docs/rules", "docs/man", "docs/schema", "docs/completions"];

/// Writes every generated file and removes those that no longer belong; or only checks.
pub(crate) fn run(repository: &Path, check: bool) -> Result<()> {
    let wanted = files()?;
    let found = present(repository)?;
    let stale: Vec<&PathBuf> = wanted
        .keys()
        .filter(|path| found.get(*path) != wanted.get(*path))
        .chain(found.keys().filter(|path| !wanted.contains_key(*path)))
        .collect();
    if check {
        if stale.is_empty() {
            return Ok(());
        }
        bail!("not current: {stale:?}\nrun: cargo run -p xtask -- generate");
    }
    for path in stale {
        let full = repository.join(path);
        match wanted.get(path) {
            Some(content) => {
                fs::create_dir_all(full.parent().unwrap_or(repository))?;
                fs::write(&full, content)
            }
            None => fs::remove_file(&full),
        }
        .with_context(|| full.display().to_string())?;
    }
    Ok(())
}

fn files() -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for page in plimsoll_report::rules_markdown(plimsoll::rules()) {
        files.insert(Path::new("docs/rules").join(page.file), page.text.into_bytes());
    }
    for (name, schema) in [
        ("facts.schema.json", plimsoll_facts::schema_json()),
        ("audit.schema.json", plimsoll_report::json::schema_json()),
        ("scan.schema.json", plimsoll_report::scan::json::schema_json()),
        ("verify.schema.json", plimsoll_report::verify::json::schema_json()),
        ("policy.schema.json", plimsoll_policy::schema_json()),
        ("connections.schema.json", plimsoll_report::connections::json::schema_json()),
    ] {
        files.insert(Path::new("docs/schema").join(name), schema.into_bytes());
    }
    let mut command = Cli::command();
    command.build();
    man_pages(&command, &mut files)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
        files.insert(Path::new("docs/completions").join(format!("plimsoll.{shell}")), script);
    }
    Ok(files)
}

fn man_pages(command: &Command, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    files.insert(Path::new("docs/man").join(format!("{name}.1")), page);
    command.get_subcommands().filter(|sub| sub.get_name() != "help").try_for_each(|sub| man_pages(sub, files))
}

fn present(repository: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(repository.join(folder)) else { continue };
        for entry in entries {
            let path = entry?.path();
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            found.insert(path.strip_prefix(repository)?.to_owned(), content);
        }
    }
    Ok(found)
}
