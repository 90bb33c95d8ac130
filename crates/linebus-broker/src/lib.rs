//! Who gets what: topics, joins, outboxes and limits of the linebus message bus, without IO and without a clock
