// Package guard stands between the network and the MQTT broker. It accepts the
// connections (TCP and WebSocket), checks every byte that a client sends by the standard
// and by the rules of a push cloud before anything behind it sees the packet, enforces
// time limits, and sends the answers that a client of each protocol version understands.
//
// # What is refused, and how
//
// The answer is the one from which a client's developer learns most: the code of MQTT 5
// comes with a reason string, unless the client has no room for it or asked for none. A
// connection that ends is closed in order, after the client had time to read the last
// packet; on a WebSocket the close frame repeats the reason, which is all that a client of
// 3.x can learn once it was let in.
//
//	what the client sent                        MQTT 5             3.1.1 and 3.1
//	CONNECT of an unknown version               CONNACK 1, in the form of 3.1.1
//	CONNECT that breaks the standard            CONNACK 0x81, 0x82 close
//	no client identifier                        CONNACK 0x85       CONNACK 2
//	bad or lapsed credentials                   CONNACK 0x86       CONNACK 4
//	a removed installation, a disabled thing    CONNACK 0x87       CONNACK 5
//	a will (retained; at QoS 2)                 CONNACK 0x83 (0x9A; 0x9B)  CONNACK 5
//	an authentication method                    CONNACK 0x8C       -
//	a packet that breaks the standard           DISCONNECT 0x81, 0x82  close
//	a packet over the size limit                DISCONNECT 0x95    close
//	a second CONNECT, AUTH, PUBREC and its kin  DISCONNECT 0x82    close
//	PUBLISH at QoS 2; retained; with an alias   DISCONNECT 0x9B; 0x9A; 0x94  close
//	PUBLISH to a foreign topic                  PUBACK 0x87 (*)    close
//	PUBLISH over 4096 bytes                     PUBACK 0x97 (*)    close
//	PUBLISH with properties that would be lost  PUBACK 0x83 (*)    -
//	PUBLISH that cannot be stored               PUBACK 0x80 (*)    close
//	SUBSCRIBE to a foreign topic                SUBACK 0x87        SUBACK 0x80
//	SUBSCRIBE with wildcards; shared            SUBACK 0xA2; 0x9E  SUBACK 0x80
//	nothing, for 1.5 times the keep alive       DISCONNECT 0x8D    close
//
// (*) At QoS 0, which has no PUBACK, the same code comes with DISCONNECT.
//
// A connection may also end because another one took over (0x8E), the installation was
// removed or its thing disabled (0x98), the password lapsed (0xA0) or the server shuts down
// (0x8B). Where that comes between CONNECT and CONNACK, the CONNACK says so: 0x89, 0x87, 0x86
// or 0x88 (before MQTT 5: 3, 5, 4, 3).
package guard
