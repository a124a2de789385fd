//! What an attacker wins by a flaw, by the words of its entry in `knowledge/`.

use plimsoll_facts::Gain;

/// How an impact begins, and what is won; the first that fits decides.
const IMPACTS: [(&str, Gain); 25] = [
    ("escape", Gain::Host),
    ("authorization bypass -> escape", Gain::Host),
    ("host root", Gain::Host),
    ("host compromise", Gain::Host),
    ("host privesc", Gain::Host),
    ("local privesc on host", Gain::Host),
    ("privesc", Gain::ContainerRoot),
    ("info-leak/privesc", Gain::ContainerRoot),
    ("confinement loss", Gain::Confinement),
    ("authorization bypass", Gain::Confinement),
    ("host file", Gain::HostFiles),
    ("host tamper", Gain::HostFiles),
    ("host data loss", Gain::HostFiles),
    ("host info", Gain::HostFiles),
    ("host cgroup", Gain::HostFiles),
    ("overwrite of files", Gain::HostFiles),
    ("host-dos", Gain::DenialOfService),
    ("info-leak", Gain::Information),
    ("side channel", Gain::Information),
    ("credential leak", Gain::Information),
    ("cross-container info leak", Gain::Information),
    ("network", Gain::Network),
    ("host MITM", Gain::Network),
    ("cross-container network", Gain::Network),
    ("image poisoning", Gain::Image),
];

/// What is won.
pub(crate) fn of(impact: Option<&str>) -> Gain {
    let Some(impact) = impact else { return Gain::Unknown };
    let known = IMPACTS.iter().find(|(begin, _)| impact.starts_with(begin));
    known.map_or(Gain::Unknown, |(_, gain)| *gain)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Gain;

    use super::of;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads the knowledge that the judgement gets as facts"
    )]
    fn every_impact_in_the_knowledge_has_a_meaning() {
        let knowledge = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
        let mut seen = 0;
        for folder in
            std::fs::read_dir(knowledge).unwrap().filter_map(|it| it.unwrap().path().read_dir().ok())
        {
            for file in folder.map(|file| file.unwrap().path()) {
                let text = std::fs::read_to_string(&file).unwrap();
                let impact = text.lines().find_map(|line| line.strip_prefix("impact = \""));
                let Some(impact) = impact.map(|impact| impact.trim_end_matches('"')) else { continue };
                assert_ne!(of(Some(impact)), Gain::Unknown, "{}: {impact}", file.display());
                seen += 1;
            }
        }
        assert!(seen > 300, "{seen}");
    }

    #[test]
    fn what_begins_alike_is_told_apart() {
        let gains = [
            ("escape / host-dos", Gain::Host),
            ("authorization bypass -> escape", Gain::Host),
            ("authorization bypass", Gain::Confinement),
            ("info-leak/privesc", Gain::ContainerRoot),
            ("host file read", Gain::HostFiles),
            ("something new", Gain::Unknown),
        ];
        for (impact, gain) in gains {
            assert_eq!(of(Some(impact)), gain, "{impact}");
        }
        assert_eq!(of(None), Gain::Unknown);
    }
}
