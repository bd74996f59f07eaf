package guard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestAnswersAreValidPackets(t *testing.T) {
	long := &Refusal{mqtt.NotAuthorized, strings.Repeat("why ", 100)}
	cases := []struct {
		name string
		v    mqtt.Version
		pkt  []byte
		want []byte // nil: only checked by the standard
	}{
		{"connack 3.1", mqtt.V31, connackRefused(mqtt.V31, long), []byte{0x20, 2, 0, 5}},
		{"connack 3.1.1", mqtt.V311, connackRefused(mqtt.V311, &Refusal{mqtt.BadUserNameOrPassword, "x"}), []byte{0x20, 2, 0, 4}},
		{"connack 5", mqtt.V5, connackRefused(mqtt.V5, &Refusal{mqtt.ServerBusy, "no"}), []byte{0x20, 8, 0, 0x89, 5, 0x1F, 0, 2, 'n', 'o'}},
		{"connack 5 without reason", mqtt.V5, connackRefused(mqtt.V5, &Refusal{Code: mqtt.ServerBusy}), []byte{0x20, 3, 0, 0x89, 0}},
		{"connack 5 long", mqtt.V5, connackRefused(mqtt.V5, long), nil},
		{"puback 3.1.1", mqtt.V311, puback(mqtt.V311, 0x1234, mqtt.NotAuthorized, "x"), []byte{0x40, 2, 0x12, 0x34}},
		{"puback 5", mqtt.V5, puback(mqtt.V5, 7, mqtt.Success, ""), []byte{0x40, 2, 0, 7}},
		{"puback 5 refused", mqtt.V5, puback(mqtt.V5, 7, mqtt.NotAuthorized, "no"), []byte{0x40, 9, 0, 7, 0x87, 5, 0x1F, 0, 2, 'n', 'o'}},
		{"disconnect", mqtt.V5, disconnect(mqtt.SessionTakenOver, ""), []byte{0xE0, 2, 0x8E, 0}},
		{"disconnect long", mqtt.V5, disconnect(long.Code, long.Reason), nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			require.NoError(t, mqtt.Check(tc.v, mqtt.FromServer, tc.pkt))
			if tc.want != nil {
				require.Equal(t, tc.want, tc.pkt)
			}
		})
	}
}

func TestReturnCodes(t *testing.T) {
	for code, want := range map[mqtt.ReasonCode]byte{
		mqtt.UnsupportedProtocolVersion: 1, mqtt.ClientIdentifierNotValid: 2, mqtt.ServerUnavailable: 3,
		mqtt.ServerShuttingDown: 3, mqtt.BadUserNameOrPassword: 4, mqtt.NotAuthorized: 5, mqtt.ImplementationSpecificError: 5,
	} {
		require.Equal(t, want, returnCode(code), code.String())
	}
}

func TestHeaderLen(t *testing.T) {
	for _, n := range []int{0, 127, 128, 16383, 16384} {
		pkt := packet(mqtt.PUBLISH, make([]byte, n))
		require.Equal(t, len(pkt)-n, headerLen(pkt))
	}
}
