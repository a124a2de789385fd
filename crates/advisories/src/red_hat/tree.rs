//! Which package of which release a product id of a document stands for.

use std::collections::HashMap;

use super::MAX_PRODUCTS;
use super::wire::{Branch, Helper, ProductTree, Relationship};
use crate::osv::RecordError;

/// Relationships on relationships: a package of a module of a product has two.
const MAX_STEPS: usize = 8;

/// Products that are updated beside the main one, with versions of their own.
const STREAMS: [&str; 6] =
    ["enterprise_linux_eus", "rhel_eus", "rhel_aus", "rhel_e4s", "rhel_tus", "rhel_eus_long_life"];

/// The products of a document, by their ids.
pub(super) struct Tree<'d> {
    products: HashMap<&'d str, &'d Helper>,
    relationships: HashMap<&'d str, &'d Relationship>,
}

/// A package of a release of Red Hat Enterprise Linux.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Component {
    pub(super) major: String,
    /// It is updated beside the main release.
    pub(super) stream: bool,
    /// `curl`, or `curl.src`.
    pub(super) name: String,
    pub(super) module: Option<String>,
    pub(super) version: Option<String>,
}

impl<'d> Tree<'d> {
    pub(super) fn of(tree: &'d ProductTree) -> Result<Self, RecordError> {
        let mut products = HashMap::new();
        let mut open: Vec<&Branch> = tree.branches.iter().collect();
        while let Some(branch) = open.pop() {
            if let Some(product) = &branch.product {
                products.insert(product.product_id.as_str(), &product.product_identification_helper);
            }
            open.extend(&branch.branches);
        }
        let named = |relationship: &'d Relationship| {
            (relationship.full_product_name.product_id.as_str(), relationship)
        };
        let relationships: HashMap<_, _> = tree.relationships.iter().map(named).collect();
        if products.len().max(relationships.len()) > MAX_PRODUCTS {
            return Err(RecordError::TooMany { what: "products", limit: MAX_PRODUCTS });
        }
        Ok(Self { products, relationships })
    }

    /// What a status is about: a package, perhaps of a module, of a product. Nothing where it is no rpm of Red Hat
    /// Enterprise Linux.
    pub(super) fn component(&self, id: &str) -> Option<Component> {
        let mut relationship = self.relationships.get(id)?;
        let reference = relationship.product_reference.as_str();
        let mut package = reference;
        let mut module = None;
        for _ in 0..MAX_STEPS {
            let upper = relationship.relates_to_product_reference.as_str();
            let Some(next) = self.relationships.get(upper) else { break };
            module = module.or_else(|| module_of(&next.product_reference));
            relationship = next;
        }
        // `nodejs:18/nodejs`: the package of a module's stream.
        if let Some((stream, name)) = reference.split_once('/').filter(|(stream, _)| stream.contains(':')) {
            module = module_of(stream);
            package = name;
        }
        let cpe = self.products.get(relationship.relates_to_product_reference.as_str())?.cpe.as_deref()?;
        let (major, stream) = major(cpe)?;
        let purl = self.products.get(reference).and_then(|helper| helper.purl.as_deref());
        let Some(purl) = purl.and_then(|purl| purl.strip_prefix("pkg:rpm/redhat/")) else {
            // A module's package without a package URL is a source package by its name.
            let name = module.as_ref().map(|_| format!("{package}.src"))?;
            return Some(Component { major, stream, name, module, version: None });
        };
        let (coordinates, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
        let qualifier =
            |key: &str| qualifiers.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let (name, version) = match coordinates.split_once('@') {
            Some((name, version)) => (name, Some(decoded(version))),
            None => (coordinates, None),
        };
        let source = qualifier("arch") == Some("src");
        // The name of a source rpm carries no epoch, so nothing is compared with it.
        let epoch = qualifier("epoch").filter(|epoch| !source && *epoch != "0");
        Some(Component {
            major,
            stream,
            name: format!("{}{}", decoded(name), if source { ".src" } else { "" }),
            module: module.or_else(|| module_of(&decoded(qualifier("rpmmod")?))),
            version: version.map(|version| match epoch {
                Some(epoch) => format!("{epoch}:{version}"),
                None => version,
            }),
        })
    }
}

/// `nodejs:18:8060020221110:4b68a8` is the module nodejs:18.
fn module_of(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

/// The release that a CPE names, and whether it is updated beside the main one.
fn major(cpe: &str) -> Option<(String, bool)> {
    let mut parts = cpe.split(':').skip(2);
    if parts.next()? != "redhat" {
        return None;
    }
    let product = parts.next()?;
    let stream = STREAMS.contains(&product);
    let major = parts.next()?.split('.').next()?;
    let is_number = !major.is_empty() && major.len() < 3 && major.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && (stream || product == "enterprise_linux")).then(|| (major.to_owned(), stream))
}

/// Percent-encoding undone, as far as names and versions of rpms need it (`+`, `~`, `^`, `:`).
fn decoded(text: &str) -> String {
    let mut rest = text;
    let mut decoded = String::with_capacity(text.len());
    while let Some(at) = rest.find('%') {
        let (before, encoded) = rest.split_at(at);
        decoded.push_str(before);
        let byte = encoded.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(u8::is_ascii_graphic) {
            Some(byte) => {
                decoded.push(char::from(byte));
                rest = encoded.get(3..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = encoded.get(1..).unwrap_or_default();
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn percent_encoding() {
        for (text, is) in [("a%2Bb", "a+b"), ("%", "%"), ("%zz%7E", "%zz~"), ("%00", "%00"), ("%é", "%é")] {
            assert_eq!(decoded(text), is);
        }
    }
}
