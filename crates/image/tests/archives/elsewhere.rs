//! Layers that come one by one, given as readers.

use std::io::{self, Read};

use plimsoll_facts::{ImageContent, PackageInventory};
use plimsoll_image::{Error, LayerBlob, read_layers};
use serde_json::json;

use super::{gzip, image, is_right, sum};

/// The configuration of an image that consists of these layers, unpacked, lowest first.
fn config_of(layers: &[Vec<u8>]) -> Vec<u8> {
    let sums: Vec<_> = layers.iter().map(|layer| format!("sha256:{}", sum(layer))).collect();
    json!({"rootfs": {"type": "layers", "diff_ids": sums}}).to_string().into_bytes()
}

fn from_elsewhere(config: &[u8], layers: &[Vec<u8>]) -> Result<(ImageContent, PackageInventory), Error> {
    let blob =
        |(number, layer): (usize, &Vec<u8>)| LayerBlob { name: number.to_string(), size: layer.len() as u64 };
    let blobs: Vec<_> = layers.iter().enumerate().map(blob).collect();
    let image = read_layers(config, &blobs, "elsewhere", |index| Ok(layers[index].as_slice()))?;
    Ok((image.content("app"), image.inventory()))
}

#[test]
fn layers_from_elsewhere_are_held_against_the_configuration() {
    let layers = image();
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    is_right(&from_elsewhere(&config_of(&layers), &layers).unwrap());
    is_right(&from_elsewhere(&config_of(&layers), &packed).unwrap());

    let swapped: Vec<_> = packed.iter().rev().cloned().collect();
    let error = from_elsewhere(&config_of(&layers), &swapped).err().unwrap();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    let error = from_elsewhere(&config_of(&layers), &packed[..1]).err().unwrap();
    assert!(matches!(error, Error::Document { .. }), "{error}");
    let error = from_elsewhere(b"{}", &packed).err().unwrap();
    assert!(matches!(error, Error::Document { .. }), "{error}");
    let mut longer = layers.clone();
    longer[1].push(0);
    let error = from_elsewhere(&config_of(&layers), &longer).err().unwrap();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
}

/// Gives its bytes, then fails for ever.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the line is cut")),
            read => Ok(read),
        }
    }
}

#[test]
fn what_cuts_a_layer_off_is_the_error() {
    let layers = &image()[..1];
    let blobs = [LayerBlob { name: "0".to_owned(), size: layers[0].len() as u64 }];
    let packed = gzip(&layers[0]);
    // Whole, cut within, and cut where nothing can be told from it yet.
    for bytes in [&layers[0][..], &packed, &packed[..packed.len() / 2], &layers[0][..700], &packed[..3]] {
        let read = read_layers(&config_of(layers), &blobs, "elsewhere", |_| Ok(Failing(bytes)));
        let error = read.err().unwrap().to_string();
        assert!(error.ends_with("the line is cut"), "{error}");
    }
}
