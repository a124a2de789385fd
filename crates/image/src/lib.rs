//! Reads images in place: overlay directories first, never by running or exporting them.
