//! Programs of one profile that differ only in the order in which they ask for the architecture.

use crate::instruction::Instruction;

/// `BPF_LD | BPF_W | BPF_ABS`.
const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
const EQUAL: u16 = 0x15;

/// The same program with the comparisons that follow its first load in the order of their constants.
///
/// At most one of them holds, and each leads out of their row, so that their order says nothing. runC writes the sections of
/// architectures in an order of chance (libcontainer/seccomp/patchbpf), anew for each process that it starts.
pub(crate) fn canonical(instructions: &[Instruction]) -> Vec<Instruction> {
    sorted(instructions).unwrap_or_else(|| instructions.to_vec())
}

fn sorted(instructions: &[Instruction]) -> Option<Vec<Instruction>> {
    let (first, rest) = instructions.split_first().filter(|(first, _)| first.code == LOAD)?;
    let row: Vec<_> = rest.iter().take_while(|it| it.code == EQUAL && it.jump_false == 0).collect();
    let mut asked: Vec<(u32, usize)> = row
        .iter()
        .enumerate()
        .map(|(place, it)| (it.constant, place + 1 + usize::from(it.jump_true)))
        .collect();
    asked.sort_unstable();
    let distinct = asked.windows(2).all(|pair| pair[0].0 != pair[1].0);
    if !distinct || asked.iter().any(|(_, target)| *target < row.len()) {
        return None;
    }
    let mut whole = vec![*first];
    for (place, (constant, target)) in asked.iter().enumerate() {
        let jump_true = u8::try_from(target - place - 1).ok()?;
        whole.push(Instruction { code: EQUAL, jump_true, jump_false: 0, constant: *constant });
    }
    whole.extend(rest.get(row.len()..)?);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(asked: [(u32, u8); 2]) -> Vec<Instruction> {
        let equal = |(constant, jump_true)| Instruction { code: EQUAL, jump_true, jump_false: 0, constant };
        let code = |code, constant| Instruction { code, jump_true: 0, jump_false: 0, constant };
        let load = code(LOAD, 4);
        vec![load, equal(asked[0]), equal(asked[1]), code(0x06, 1), code(0x06, 2), code(0x06, 3)]
    }

    #[test]
    fn the_order_of_architectures_is_no_difference() {
        let (one, other) =
            (row([(0xc000_003e, 3), (0x4000_0003, 1)]), row([(0x4000_0003, 2), (0xc000_003e, 2)]));
        assert_eq!(canonical(&one), canonical(&other));
        let swapped = row([(0x4000_0003, 3), (0xc000_003e, 1)]);
        assert_ne!(canonical(&one), canonical(&swapped));
    }

    #[test]
    fn what_leads_into_the_row_stays_as_it_is() {
        let inside = row([(7, 0), (3, 1)]);
        assert_eq!(canonical(&inside), inside);
        let twice = row([(7, 2), (7, 1)]);
        assert_eq!(canonical(&twice), twice);
    }
}
