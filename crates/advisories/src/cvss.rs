//! Base scores of CVSS 3.0 and 3.1 vectors (specification, section 7.1).

/// The base score times ten of a CVSS 3 vector; nothing for any other text.
pub fn base_score(vector: &str) -> Option<u8> {
    let metrics = vector.strip_prefix("CVSS:3.1/").or_else(|| vector.strip_prefix("CVSS:3.0/"))?;
    let metric = |name: &str| metrics.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix(':'));
    let changed = match metric("S")? {
        "U" => false,
        "C" => true,
        _ => return None,
    };
    let vector = weight(metric("AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weight(metric("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let privileges = if changed {
        [("N", 0.85), ("L", 0.68), ("H", 0.5)]
    } else {
        [("N", 0.85), ("L", 0.62), ("H", 0.27)]
    };
    let privileges = weight(metric("PR")?, &privileges)?;
    let interaction = weight(metric("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let impact = |name| weight(metric(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let base = 1.0 - (1.0 - impact("C")?) * (1.0 - impact("I")?) * (1.0 - impact("A")?);
    let impact =
        if changed { 7.52 * (base - 0.029) - 3.25 * f64::powi(base - 0.02, 15) } else { 6.42 * base };
    if impact <= 0.0 {
        return Some(0);
    }
    let exploitability = 8.22 * vector * complexity * privileges * interaction;
    let sum = impact + exploitability;
    Some(round_up(f64::min(if changed { 1.08 * sum } else { sum }, 10.0)))
}

fn weight(value: &str, weights: &[(&str, f64)]) -> Option<f64> {
    weights.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
}

/// Appendix A, times ten: the smallest tenth that is not less, free of floating-point noise.
fn round_up(score: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score lies between 0 and 10"
    )]
    let hundred_thousandths = (score * 100_000.0).round() as u32;
    u8::try_from(hundred_thousandths.div_ceil(10_000)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::base_score;

    /// Vectors and scores as the vulnerability databases publish them.
    #[test]
    fn published_scores() {
        let scores = [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100),
            ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 86),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N", 37),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 54),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
        ];
        for (vector, score) in scores {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
    }

    #[test]
    fn other_texts_have_none() {
        for text in
            ["", "medium", "CVSS:3.1/", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:2.0/AV:N"]
        {
            assert_eq!(base_score(text), None, "{text}");
        }
    }
}
