//! Writes the sample audit in a format, to look at while working on it:
//! `cargo run -p plimsoll-report --example sample -- terminal 40 --color`.

#[path = "../tests/report/sample/mod.rs"]
mod sample;

use std::io::{self, BufWriter, Write};

use plimsoll_report::{Benchmark, CisView, TerminalOptions, html, json, junit, markdown, sarif, terminal};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let format = arguments.first().map_or("terminal", String::as_str);
    let containers = arguments.get(1).and_then(|number| number.parse().ok()).unwrap_or(12);
    let mut audit = sample::audit(containers);
    if has("--cis") {
        audit.cis = Some(CisView::of(&audit, Benchmark::V1_8));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        "json" => json::write(&audit, &mut out)?,
        "html" => html::write(&audit, &mut out)?,
        "junit" => junit::write(&audit, &mut out)?,
        "markdown" => markdown::write(&audit, has("--full"), &mut out)?,
        "sarif" => sarif::write(&audit, &mut out)?,
        _ => {
            let options =
                TerminalOptions { color: has("--color"), full: has("--full"), ..TerminalOptions::default() };
            terminal::write(&audit, &options, &mut out)?;
        }
    }
    out.flush()
}
