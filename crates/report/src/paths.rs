//! Attack paths as a drawing: containers in columns from outside to the host, with the ways between them.

use std::collections::BTreeMap;

use plimsoll_facts::{AttackPath, PathGoal, StepKind};

use crate::escape;

/// Boxes in one column; further containers are one box.
const ROWS: usize = 14;
/// Characters of a name in a box.
const NAME: usize = 22;
const BOX: (usize, usize) = (190, 34);
const GAP: (usize, usize) = (150, 14);
const MARGIN: usize = 8;

/// A drawing, in pixels.
pub(crate) struct Drawing {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) boxes: Vec<Box>,
    pub(crate) lines: Vec<Line>,
}

/// A place.
pub(crate) struct Box {
    pub(crate) class: &'static str,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) text: String,
    pub(crate) title: String,
}

/// A way from one place to the next.
pub(crate) struct Line {
    pub(crate) class: &'static str,
    pub(crate) path: String,
    pub(crate) title: String,
}

impl Box {
    pub(crate) const WIDTH: usize = BOX.0;
    pub(crate) const HEIGHT: usize = BOX.1;

    pub(crate) fn text_x(&self) -> usize {
        self.x + BOX.0 / 2
    }

    pub(crate) fn text_y(&self) -> usize {
        self.y + BOX.1 / 2
    }
}

/// Where each path goes: its containers, and what leads to each; behind the first line, what is done there.
fn route(path: &AttackPath) -> Vec<(&str, String)> {
    let mut route: Vec<(&str, String)> = Vec::new();
    let mut places = path.through();
    for step in &path.steps {
        let text = match step.evidence.is_empty() {
            true => step.what.clone(),
            false => format!("{} ({})", step.what, step.evidence.join("; ")),
        };
        match step.kind {
            StepKind::Entry | StepKind::Connect => route.extend(places.next().map(|place| (place, text))),
            _ => {
                if let Some((_, how)) = route.last_mut() {
                    how.push('\n');
                    how.push_str(&text);
                }
            }
        }
    }
    route
}

/// Draws paths; nothing where there are none.
pub(crate) fn draw(paths: &[AttackPath]) -> Option<Drawing> {
    let routes: Vec<_> = paths.iter().map(|path| (path, route(path))).collect();
    let columns = routes.iter().map(|(_, route)| route.len()).max().filter(|most| *most > 0)?;
    let mut rows: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); columns];
    for (_, route) in &routes {
        for (column, (name, _)) in route.iter().enumerate() {
            let next = rows[column].len().min(ROWS - 1);
            rows[column].entry(name).or_insert(next);
        }
    }
    let most = rows.iter().map(|names| names.values().max().map_or(0, |row| row + 1)).max().unwrap_or(1);
    let rows_end = 2 * MARGIN + most * (BOX.1 + GAP.1) - GAP.1;
    let middle = (rows_end - BOX.1) / 2;
    // Lines that pass by other columns go below their boxes.
    let height = if columns > 1 { rows_end + MARGIN } else { rows_end };
    let x = |column: usize| MARGIN + column * (BOX.0 + GAP.0);
    let mut drawing =
        Drawing { width: x(columns + 1) + BOX.0 + MARGIN, height, boxes: Vec::new(), lines: Vec::new() };
    drawing.put("outside", x(0), middle, "outside", "whoever can reach the host's ports");
    for (column, names) in rows.iter().enumerate() {
        for (row, shared) in shared(names) {
            let text =
                if shared.len() == 1 { shared[0].to_owned() } else { format!("{} containers", shared.len()) };
            drawing.put("container", x(column + 1), place(row), &text, &shared.join(", "));
        }
    }
    if paths.iter().any(|path| path.goal == PathGoal::Host) {
        drawing.put(
            "host",
            x(columns + 1),
            middle,
            "the host",
            "root on the host, and every container on it",
        );
    } else {
        drawing.width = x(columns) + BOX.0 + MARGIN;
    }
    drawing.connect(&routes, &rows, x, middle);
    Some(drawing)
}

fn place(row: usize) -> usize {
    MARGIN + row * (BOX.1 + GAP.1)
}

/// Names by the row that they share.
fn shared<'n>(names: &BTreeMap<&'n str, usize>) -> BTreeMap<usize, Vec<&'n str>> {
    let mut rows: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (name, row) in names {
        rows.entry(*row).or_default().push(name);
    }
    rows
}

impl Drawing {
    fn put(&mut self, class: &'static str, x: usize, y: usize, text: &str, title: &str) {
        let text = escape::fit(&escape::visible(text), NAME).into_owned();
        self.boxes.push(Box { class, x, y, text, title: escape::visible(title).into_owned() });
    }

    /// One line for all paths between the same two places: bold where something was found for each step.
    fn connect(
        &mut self,
        routes: &[(&AttackPath, Vec<(&str, String)>)],
        rows: &[BTreeMap<&str, usize>],
        x: impl Fn(usize) -> usize,
        middle: usize,
    ) {
        let mut lines = Lines::new();
        for (path, route) in routes {
            let mut from = (x(0), middle);
            let mut how = String::new();
            for (column, (name, text)) in route.iter().enumerate() {
                let to = (x(column + 1), place(rows[column][name]));
                let (entry, rest) = text.split_once('\n').unwrap_or((text, ""));
                join(&mut lines, from, to, path.shown, entry);
                from = to;
                how = rest.to_owned();
            }
            if path.goal == PathGoal::Host {
                join(&mut lines, from, (x(rows.len() + 1), middle), path.shown, &how);
            }
        }
        for ((x1, y1, x2, y2), (shown, texts)) in lines {
            let class = if shown { "shown" } else { "assumed" };
            let (x1, y1, y2) = (x1 + BOX.0, y1 + BOX.1 / 2, y2 + BOX.1 / 2);
            let path = if x2 - x1 <= GAP.0 {
                let bend = (x1 + x2) / 2;
                format!("M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}")
            } else {
                let (lane, down, up) = (self.height - MARGIN, x1 + GAP.0, x2 - GAP.0);
                let (first, last) = (x1 + GAP.0 / 2, x2 - GAP.0 / 2);
                format!(
                    "M{x1} {y1} C{first} {y1} {first} {lane} {down} {lane} L{up} {lane} C{last} {lane} {last} {y2} {x2} {y2}"
                )
            };
            self.lines.push(Line { class, path, title: escape::visible(&texts.join("; ")).into_owned() });
        }
    }
}

/// Where a line begins and ends.
type Ends = (usize, usize, usize, usize);
/// Whether something was found for each step of a path along a line, and what its paths do there.
type Lines = BTreeMap<Ends, (bool, Vec<String>)>;

fn join(lines: &mut Lines, from: (usize, usize), to: (usize, usize), shown: bool, text: &str) {
    let line = lines.entry((from.0, from.1, to.0, to.1)).or_default();
    line.0 |= shown;
    let text = text.replace('\n', ", then ");
    if !line.1.contains(&text) && line.1.len() < 6 {
        line.1.push(text);
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{AttackPath, PathGoal, PathPlace, PathStep, StepKind};

    use super::draw;

    fn step(kind: StepKind, at: &str, what: &str) -> PathStep {
        PathStep { kind, at: at.into(), what: what.into(), ..PathStep::default() }
    }

    fn path(container: &str, steps: Vec<PathStep>) -> AttackPath {
        AttackPath { container: container.into(), shown: true, steps, ..AttackPath::default() }
    }

    #[test]
    fn no_paths_no_drawing() {
        assert!(draw(&[]).is_none());
    }

    #[test]
    fn one_line_between_two_places() {
        let direct = |way: &str| {
            let boundary = step(StepKind::Boundary, "web", way);
            path("web", vec![step(StepKind::Entry, "web", "connects to 80"), boundary])
        };
        let through = through_db(vec![step(StepKind::Boundary, "db", "loads a module")]);
        let drawing = draw(&[direct("a"), direct("b"), through]).unwrap();
        let names: Vec<_> = drawing.boxes.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(names, ["outside", "web", "db", "the host"]);
        // Outside to web, web to the host, web to db, db to the host.
        assert_eq!(drawing.lines.len(), 4);
        assert!(drawing.lines.iter().any(|line| line.title == "a; b"));
    }

    fn through_db(more: Vec<PathStep>) -> AttackPath {
        let steps = [
            step(StepKind::Entry, "web", "connects to 80"),
            step(StepKind::Connect, "web", "connects to 3306 of db"),
        ];
        let before = vec![PathPlace { name: "web".into(), id: "1".into() }];
        AttackPath { before, ..path("db", steps.into_iter().chain(more).collect()) }
    }

    #[test]
    fn a_path_to_a_neighbour_ends_there() {
        let neighbour = AttackPath { goal: PathGoal::Neighbour, ..through_db(Vec::new()) };
        let drawing = draw(&[neighbour]).unwrap();
        let names: Vec<_> = drawing.boxes.iter().map(|it| it.text.as_str()).collect();
        assert_eq!((names, drawing.lines.len()), (vec!["outside", "web", "db"], 2));
    }

    #[test]
    fn many_containers_share_a_box() {
        let one = |number: usize| {
            let name = format!("c{number}");
            path(&name, vec![step(StepKind::Entry, &name, "connects")])
        };
        let paths: Vec<_> = (0..40).map(one).collect();
        let drawing = draw(&paths).unwrap();
        assert_eq!(drawing.boxes.len(), 2 + super::ROWS);
        assert!(drawing.boxes.iter().any(|it| it.text == "27 containers"));
    }
}
