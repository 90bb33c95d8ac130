//! Client of the linebus message bus, async and blocking
