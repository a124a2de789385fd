//! Records of an archive, as they are.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Every record of an archive.
pub(crate) fn all_records(archive: &Path) -> Vec<Value> {
    let file = fs::File::open(archive).unwrap();
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let zip = rawzip::ZipArchive::from_file(file, &mut buffer).unwrap();
    let mut places = Vec::new();
    let mut entries = zip.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().unwrap() {
        places.push(entry.wayfinder());
    }
    let read = |place| {
        let entry = zip.get_entry(place).unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(entry.reader()), &mut text)
            .unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    places.into_iter().map(read).collect()
}
