package mqtt

import "bytes"

// maxField is the size in bytes of the longest string or binary data.
const maxField = 65535

// sharePrefix starts the filter of a shared subscription (4.8.2).
const sharePrefix = "$share/"

// ValidTopicName reports whether s can be published to: at least one character, at
// most 65535 bytes, strict UTF-8 without the null character, no wildcards [MQTT-4.7.0-1].
func ValidTopicName(s string) bool { return ValidTopic([]byte(s)) }

// ValidTopic is ValidTopicName for a name in bytes.
func ValidTopic(b []byte) bool {
	return len(b) > 0 && len(b) <= maxField && textRule(b) == nil && !hasWildcard(b)
}

// ValidTopicFilter reports whether s can be subscribed to: what ValidTopicName demands,
// but with wildcards that stand alone in their level, # in the last level only
// [MQTT-4.7.1-1], and a whole share name and filter behind $share/ [MQTT-4.8.2-1].
func ValidTopicFilter(s string) bool {
	b := []byte(s)
	return len(b) <= maxField && textRule(b) == nil && filterRule(V5, b) == nil
}

func hasWildcard(topic []byte) bool {
	return bytes.IndexByte(topic, '+') >= 0 || bytes.IndexByte(topic, '#') >= 0
}

func isShared(filter []byte) bool {
	return len(filter) >= len(sharePrefix) && string(filter[:len(sharePrefix)]) == sharePrefix
}

// filterRule gives the rule that a topic filter of version v breaks, nil for none.
// Shared subscriptions are MQTT 5's; before it $share is a name like any other.
func filterRule(v Version, filter []byte) *rule {
	if len(filter) == 0 {
		return &ruleFilterEmpty
	}
	if v == V5 && isShared(filter) {
		share := filter[len(sharePrefix):]
		slash := bytes.IndexByte(share, '/')
		switch {
		case len(share) == 0 || slash == 0:
			return &ruleShareName
		case slash < 0 || slash == len(share)-1 || hasWildcard(share[:slash]):
			return &ruleShareFilter
		}
		filter = share[slash+1:]
	}
	return wildcardRule(filter)
}

func wildcardRule(filter []byte) *rule {
	for i, c := range filter {
		if c != '+' && c != '#' {
			continue
		}
		first := i == 0 || filter[i-1] == '/'
		last := i == len(filter)-1
		if c == '#' && !(first && last) {
			return &ruleMultiLevel
		}
		if c == '+' && !(first && (last || filter[i+1] == '/')) {
			return &ruleSingleLevel
		}
	}
	return nil
}
