#!/usr/bin/env perl
# Tells the time to who asks: perl clock.pl [HOST PORT]
use strict; use warnings; use IO::Socket::IP; use POSIX 'strftime';

my ($host, $port) = @ARGV ? @ARGV : ('127.0.0.1', 5463);
my $bus = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port) or die "no bus: $@\n";
print $bus "recv clock\n";
while (my $line = <$bus>) {
    print $bus strftime("send clock %T\n", gmtime) if $line eq "recv clock time?\n";
}
