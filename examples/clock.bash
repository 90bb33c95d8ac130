#!/usr/bin/env bash
# Tells the time to who asks: bash clock.bash [HOST PORT]
exec {bus}<>"/dev/tcp/${1:-127.0.0.1}/${2:-5463}"
echo 'recv clock' >&$bus
while IFS= read -r line <&$bus; do
    if [ "$line" = 'recv clock time?' ]; then
        echo "send clock $(date -u +%T)" >&$bus
    fi
done
