//! What stands in the files of each image, read in place.

use plimsoll_facts::Engine;
use plimsoll_rootdir::RootDir;

use crate::gaps::Gaps;

/// Fills `Image::content` of every image.
pub(crate) fn fill(_root: &RootDir, _engines: &mut [Engine], _gaps: &mut Gaps) {}
