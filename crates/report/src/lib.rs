//! Findings as terminal text, JSON, SARIF, JUnit, HTML and Markdown.
