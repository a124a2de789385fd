//! Programs as runc makes them (libcontainer/cgroups/ebpf/devicefilter), for tests.

/// Kind, access, major and minor number, and whether it is allowed.
pub(crate) type Rule = (char, &'static str, Option<i32>, Option<i32>, bool);

/// What Docker allows every container.
pub(crate) const DOCKER: [Rule; 12] = [
    ('c', "m", None, None, true),
    ('b', "m", None, None, true),
    ('c', "rwm", Some(1), Some(3), true),
    ('c', "rwm", Some(1), Some(5), true),
    ('c', "rwm", Some(1), Some(7), true),
    ('c', "rwm", Some(1), Some(8), true),
    ('c', "rwm", Some(1), Some(9), true),
    ('c', "rwm", Some(5), Some(0), true),
    ('c', "rwm", Some(5), Some(1), true),
    ('c', "rwm", Some(5), Some(2), true),
    ('c', "rwm", Some(136), None, true),
    ('c', "rwm", Some(10), Some(200), true),
];

/// `struct bpf_insn`.
pub(crate) fn instruction(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> [u8; 8] {
    let (offset, immediate) = (offset.to_ne_bytes(), immediate.to_ne_bytes());
    [code, from << 4 | to, offset[0], offset[1], immediate[0], immediate[1], immediate[2], immediate[3]]
}

/// Loads the kind, the access, the major and the minor number.
pub(crate) fn begin() -> [[u8; 8]; 5] {
    [
        instruction(0x69, 2, 1, 0, 0),
        instruction(0x61, 3, 1, 0, 0),
        instruction(0x74, 3, 0, 0, 16),
        instruction(0x61, 4, 1, 4, 0),
        instruction(0x61, 5, 1, 8, 0),
    ]
}

/// Answers.
pub(crate) fn end(allow: bool) -> [[u8; 8]; 2] {
    [instruction(0xb4, 0, 0, 0, allow.into()), instruction(0x95, 0, 0, 0, 0)]
}

/// One block a rule, of which each comparison that fails jumps to the next; the first rule that fits decides.
pub(crate) fn program(rules: &[Rule], otherwise: bool) -> Vec<u8> {
    let blocks = rules.iter().flat_map(block);
    begin().into_iter().chain(blocks).chain(end(otherwise)).flatten().collect()
}

fn block((kind, access, major, minor, allow): &Rule) -> Vec<[u8; 8]> {
    let bit = |letter| match letter {
        'm' => 1,
        'r' => 2,
        _ => 4,
    };
    let access: i32 = access.chars().map(bit).sum();
    let mut code = vec![instruction(0x55, 2, 0, 0, if *kind == 'b' { 1 } else { 2 })];
    if access != 7 {
        code.push(instruction(0xbc, 1, 3, 0, 0));
        code.push(instruction(0x54, 1, 0, 0, access));
        code.push(instruction(0x5d, 1, 3, 0, 0));
    }
    code.extend(major.map(|major| instruction(0x55, 4, 0, 0, major)));
    code.extend(minor.map(|minor| instruction(0x55, 5, 0, 0, minor)));
    code.extend(end(*allow));
    let length = code.len();
    for (place, one) in code.iter_mut().enumerate().filter(|(_, one)| matches!(one[0], 0x55 | 0x5d)) {
        let far = i16::try_from(length - place - 1).unwrap_or(i16::MAX).to_ne_bytes();
        one[2..4].copy_from_slice(&far);
    }
    code
}
