//! What must be said about an image (in-toto attestations), and what must have built it.

use plimsoll_facts::{self as facts, AttestationDemand, AttestationKind};

use crate::outcome::{together, worst};
use crate::requirement::Verifier;
use crate::{Attestation, Attestations, Image, ImageDigest, Refusal, RefusalKind};

/// The statements about an image that are demanded.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// Each must be there.
    pub attestations: Vec<AttestationDemand>,
    /// What must have built the image, by its SLSA provenance, where that is demanded.
    pub builder: Option<String>,
}

/// What one signer says.
type Said = Result<Attestations, Refusal>;

impl Demands {
    /// What somebody trusted says about a digest of an image, with the demands that it fulfils.
    ///
    /// # Errors
    /// Which demands nothing fulfils, and why.
    pub(crate) fn require(
        &self,
        image: &Image,
        digest: &ImageDigest,
        signers: &[Box<dyn Verifier>],
    ) -> Result<Vec<facts::Attestation>, Refusal> {
        if self.attestations.is_empty() {
            return Ok(Vec::new());
        }
        let said: Vec<Said> = signers.iter().filter_map(|signer| signer.attestations(image)).collect();
        let is_fulfilled = |demand: &&AttestationDemand| {
            said.iter().flatten().any(|said| self.is_fulfilled(demand, said, digest))
        };
        let (fulfilled, open): (Vec<_>, Vec<_>) = self.attestations.iter().partition(is_fulfilled);
        let refusals: Vec<_> = open.into_iter().map(|demand| self.why_not(demand, &said)).collect();
        let told = |found: Attestation| {
            let fulfils = fulfilled.iter().filter(|demand| self.is_such(demand, &found));
            facts::Attestation { fulfils: fulfils.map(ToString::to_string).collect(), ..found.clone().into() }
        };
        let attestations = said.into_iter().flatten().flat_map(|said| said.found).map(told).collect();
        match refusals.is_empty() {
            true => Ok(attestations),
            false => Err(Refusal { attestations, ..together(refusals) }),
        }
    }

    /// Whether such a statement is about the digest; where that is an index, about every image in it is enough.
    fn is_fulfilled(&self, demand: &AttestationDemand, said: &Attestations, digest: &ImageDigest) -> bool {
        let is_said_of = |image: &ImageDigest| {
            said.found.iter().any(|found| found.digest() == image && self.is_such(demand, found))
        };
        is_said_of(digest) || !said.images.is_empty() && said.images.iter().all(is_said_of)
    }

    fn is_such(&self, demand: &AttestationDemand, found: &Attestation) -> bool {
        demand.covers(found.predicate_type()) && self.other_builder(found).is_none()
    }

    /// Where a statement names another builder than the one that is demanded, or none: which is demanded.
    fn other_builder(&self, found: &Attestation) -> Option<&str> {
        let builder = self.builder.as_deref()?;
        let is_other = found.kind() == AttestationKind::SlsaProvenance && found.builder() != Some(builder);
        is_other.then_some(builder)
    }

    /// Why nothing fulfils a demand: there is no such statement, or none that counts.
    fn why_not(&self, demand: &AttestationDemand, said: &[Said]) -> Refusal {
        let found = said.iter().flatten().flat_map(|said| &said.found);
        let found = found.filter(|found| demand.covers(found.predicate_type()));
        let mut refusals: Vec<_> = found.map(|found| self.not_enough(found)).collect();
        let may_be = |kind: &str| demand.covers(kind);
        let left_out: Vec<_> = said
            .iter()
            .flat_map(|said| match said {
                Ok(said) => {
                    said.left_out.iter().filter(|it| it.may_be(may_be)).map(|it| it.why.clone()).collect()
                }
                Err(refusal) => vec![refusal.clone()],
            })
            .collect();
        match left_out.is_empty() {
            true if refusals.is_empty() => {
                refusals.push(Refusal::new(RefusalKind::Unsigned, "there is none"));
            }
            true => {}
            false => refusals.push(worst(left_out)),
        }
        together(refusals).at(&format!("attestation {demand}"))
    }

    /// Why a statement that counts does not fulfil the demand that it covers.
    fn not_enough(&self, found: &Attestation) -> Refusal {
        let Some(demanded) = self.other_builder(found) else {
            let reason =
                format!("it is about {} alone, and not about every image of the index", found.digest());
            return Refusal::new(RefusalKind::Unsigned, reason);
        };
        let built_by = found
            .builder()
            .map_or("it names no builder".to_owned(), |builder| format!("{builder:?} built it"));
        Refusal::new(RefusalKind::Denied, format!("{built_by}, and the policy demands {demanded:?}"))
    }
}
