#!/usr/bin/env tclsh
# Tells the time to who asks: tclsh clock.tcl [HOST PORT]
lassign [concat $argv 127.0.0.1 5463] host port
set bus [socket $host $port]
fconfigure $bus -buffering line -encoding utf-8 -translation lf
puts $bus "recv clock"
while {[gets $bus line] >= 0} {
    if {$line eq "recv clock time?"} {
        puts $bus [clock format [clock seconds] -gmt 1 -format "send clock %T"]
    }
}
