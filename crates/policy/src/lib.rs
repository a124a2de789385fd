//! What the owner decided: which rules, which severities, which exceptions, until when.
