//! The words of the conference rooms: wishes and facts, one line each.
