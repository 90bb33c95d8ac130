#!/usr/bin/gawk -f
# Tells the time to who asks: gawk -f clock.awk [HOST PORT]
BEGIN {
    bus = "/inet/tcp/0/" (ARGC > 2 ? ARGV[1] "/" ARGV[2] : "127.0.0.1/5463")
    print "recv clock" |& bus
    while ((bus |& getline line) > 0)
        if (line == "recv clock time?")
            print "send clock " strftime("%T", systime(), 1) |& bus
}
