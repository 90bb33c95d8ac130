//! Load generator that speaks linebus, NATS, RESP and MQTT with the same socket code
