//! Bytes to meaning and back: lines, commands, events, topics, error codes of the linebus protocol
