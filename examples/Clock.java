import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.*;
import java.net.Socket;
import java.time.*;

/** Tells the time to who asks: java Clock.java [HOST PORT] */
class Clock {
    public static void main(String[] arguments) throws IOException {
        var args = arguments.length > 1 ? arguments : new String[] {"127.0.0.1", "5463"};
        try (var bus = new Socket(args[0], Integer.parseInt(args[1]))) {
            var out = new PrintStream(bus.getOutputStream(), true, UTF_8);
            out.print("recv clock\n");
            new BufferedReader(new InputStreamReader(bus.getInputStream(), UTF_8)).lines()
                .filter("recv clock time?"::equals)
                .forEach(line -> out.printf("send clock %tT\n", ZonedDateTime.now(ZoneOffset.UTC)));
        }
    }
}
