package kiicloud

import (
	"flag"
	"fmt"
	"strings"
)

// EnvironmentPrefix begins the names of the environment's variables: KIICLOUD_TOKEN_TTL is
// -token-ttl.
const EnvironmentPrefix = "KIICLOUD_"

// several are the flags that may be repeated; in a variable commas stand between.
var several = map[string]bool{"app": true, "admin": true, "allow-origin": true, "trust-proxy": true}

// FromEnvironment sets the flags that were not given, of those whose variable lookup finds. fs has
// been parsed. The error names the variable, not its value.
func FromEnvironment(fs *flag.FlagSet, lookup func(string) (string, bool)) error {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var first error
	fs.VisitAll(func(f *flag.Flag) {
		name := EnvironmentPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || given[f.Name] || first != nil {
			return
		}
		values := []string{value}
		if several[f.Name] {
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			if err := fs.Set(f.Name, strings.TrimSpace(v)); err != nil {
				first = fmt.Errorf("%s does not hold what -%s takes: %s", name, f.Name, f.Usage)
				return
			}
		}
	})
	return first
}
