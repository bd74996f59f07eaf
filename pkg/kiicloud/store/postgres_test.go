package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// share opens the schema of a folder as one of several processes that share it.
func share(t testing.TB, dir string) *SQL {
	t.Helper()
	s, err := OpenPostgres(context.Background(), postgresURL(t, dir), Options{Shared: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// A store that one process delivers from is no other's, until that has gone, whether the other
// would share it or not.
func TestADatabaseIsOneProcesssOrShared(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	url := postgresURL(t, dir)
	alone := openPostgres(t, dir, nil)
	for _, shared := range []bool{false, true} {
		_, err := OpenPostgres(ctx, url, Options{Shared: shared})
		require.ErrorIs(t, err, ErrLocked)
		assert.ErrorContains(t, err, alone.name, "says who has it")
		assert.ErrorContains(t, err, "-store")
	}
	openPostgres(t, t.TempDir(), nil) // another schema is another store
	require.NoError(t, alone.Close())

	first, second := share(t, dir), share(t, dir)
	_, err := OpenPostgres(ctx, url, Options{})
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, errors.Join(first.Close(), second.Close()))
	openPostgres(t, dir, nil)
}

// Processes that start at the same time, on a database without tables, make them once.
func TestManyProcessesMakeTheTablesTogether(t *testing.T) {
	dir := t.TempDir()
	url := postgresURL(t, dir)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := OpenPostgres(context.Background(), url, Options{Shared: true})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	wg.Wait()
	s := openPostgres(t, dir, nil)
	assert.Equal(t, len(s.writer.d.migrations), count(t, s, `SELECT COUNT(*) FROM schema_migrations`))
}

// What a newer program has made is refused, and not left locked.
func TestANewerDatabaseIsRefused(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openPostgres(t, dir, nil)
	require.NoError(t, s.writer.do(ctx, func(x tx) error { return x.exec(`INSERT INTO schema_migrations VALUES (999, 1, 999)`) }))
	require.NoError(t, s.Close())
	for range 2 {
		_, err := OpenPostgres(ctx, postgresURL(t, dir), Options{})
		require.ErrorIs(t, err, ErrNewerSchema)
		require.ErrorContains(t, err, "999")
	}
}

func TestAnAddressThatDoesNotWorkSaysSo(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:secret-word@127.0.0.1:1/db":              "connect to PostgreSQL",
		"postgres://u:secret-word@127.0.0.1:x/db":              "it looks like postgres://",
		pgtest.Shared(t).URL("nowhere", ""):                    `database "nowhere" does not exist`,
		pgtest.Shared(t).URL("postgres", "nobodys_schema_yet"): "CREATE SCHEMA",
	} {
		_, err := OpenPostgres(context.Background(), url, Options{})
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "secret-word")
	}
}

// Whatever several processes do to the same few owners at once comes to the same as if they
// had done it one after the other.
func TestProcessesDoNotGetInEachOthersWay(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	stores := []*SQL{share(t, dir), share(t, dir), share(t, dir)}
	hold(t, stores[0], "u")
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := map[string]int{}
	each := func(f func(s *SQL, n int)) {
		for _, s := range stores {
			for range 2 {
				wg.Go(func() {
					for n := range 15 {
						f(s, n)
					}
				})
			}
		}
	}
	each(func(s *SQL, n int) { // install, push, uninstall
		i, _, err := s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT"})
		require.NoError(t, err)
		if n%3 == 0 {
			if _, err := s.DeleteInstallation(ctx, "app", i.ID); err != nil {
				assert.ErrorIs(t, err, ErrNotFound)
			}
			return
		}
		seq, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte("x")})
		if err != nil {
			assert.ErrorIs(t, err, ErrNotFound)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		accepted[fmt.Sprint(i.ID, " ", seq)]++
	})
	each(func(s *SQL, n int) { // one owner, and its token only with its password
		err := s.PutToken(ctx, Token{Hash: []byte(NewID()), Owner: owner("u")}, "hash")
		assert.NoError(t, err)
	})
	each(func(s *SQL, n int) { // a name is one user's, be it as login name or as phone number
		name := fmt.Sprint("0", n)
		u := User{AppID: "app", LoginName: name}
		if s == stores[1] {
			u = User{AppID: "app", Phone: name}
		}
		if _, err := s.CreateUser(ctx, u); err != nil {
			assert.ErrorIs(t, err, ErrExists)
		}
	})
	wg.Wait()
	for place, n := range accepted {
		assert.Equal(t, 1, n, "%s was given twice", place)
	}
	for n := range 15 {
		name := fmt.Sprint("0", n)
		assert.Equal(t, 1, count(t, stores[0], `SELECT COUNT(*) FROM users WHERE login_name = '`+name+`' OR phone = '`+name+`'`))
	}
	assert.Zero(t, count(t, stores[0], `SELECT COUNT(*) FROM queue WHERE installation_id NOT IN (SELECT id FROM installations)`))
}

// hold stores a user with a password's hash.
func hold(t testing.TB, s *SQL, id string) {
	t.Helper()
	_, err := s.CreateUser(context.Background(), User{AppID: "app", ID: id, LoginName: id, PasswordHash: "hash"})
	require.NoError(t, err)
}

// A token for a password, and the change of that password in another process: whichever comes
// first, no token of the former password is left. And who is deleted has nothing left.
func TestNothingOutlivesWhatItWasGivenFor(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	one, two := share(t, dir), share(t, dir)
	for n := range 20 {
		id := fmt.Sprint("u", n)
		hold(t, one, id)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := one.PutToken(ctx, Token{Hash: []byte(NewID()), Owner: owner(id)}, "hash"); err != nil {
					assert.ErrorIs(t, err, ErrNotFound)
				}
			})
			wg.Go(func() {
				i, _, err := one.Install(ctx, Installation{Owner: owner(id), DeviceType: "MQTT"})
				assert.NoError(t, err)
				if _, err := one.UserByID(ctx, "app", id); errors.Is(err, ErrNotFound) { // as the API does
					one.DeleteInstallation(ctx, "app", i.ID)
				}
			})
		}
		wg.Go(func() {
			if err := two.SetPassword(ctx, owner(id), "hash", "other hash", nil); err != nil {
				assert.ErrorIs(t, err, ErrNotFound, "it was deleted before")
			}
		})
		if n%2 == 0 {
			wg.Wait()
			require.Zero(t, count(t, one, `SELECT COUNT(*) FROM tokens WHERE owner_id = '`+id+`'`))
		}
		wg.Go(func() {
			_, err := two.DeleteOwner(ctx, owner(id))
			assert.NoError(t, err)
		})
		wg.Wait()
		for _, table := range []string{"tokens", "installations"} {
			assert.Zero(t, count(t, one, `SELECT COUNT(*) FROM `+table+` WHERE owner_id = '`+id+`'`), table)
		}
	}
}

// An owner who is deleted while another process installs for it: the deletion runs again and
// finds the installation.
func TestADeletionDoesNotOverlookAnInstall(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	one, two := share(t, dir), share(t, dir)
	hold(t, one, "u")
	tries := 0
	require.NoError(t, two.writer.do(ctx, func(x tx) error {
		tries++
		for _, query := range []string{deleteUser, `DELETE FROM installations WHERE app_id = $1 AND owner_id = $2`} {
			if err := x.exec(query, "app", "u"); err != nil {
				return err
			}
		}
		if tries == 1 {
			installFor(t, one, "u")
		}
		return nil
	}))
	assert.Equal(t, 2, tries)
	assert.Zero(t, count(t, one, `SELECT COUNT(*) FROM installations`))
}

// A server that ends and comes back: nothing accepted is lost, and writing and reading go on
// over new connections, under the same lock.
func TestTheServerMayComeAndGo(t *testing.T) {
	server, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(server.Remove)
	ctx := context.Background()
	s, err := OpenPostgres(ctx, server.URL("postgres", ""), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	i := installFor(t, s, "u")

	var accepted []string
	var sending sync.WaitGroup
	stop := make(chan struct{})
	var unavailable int
	sending.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			payload := fmt.Sprint(n)
			_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte(payload)})
			if err == nil {
				accepted = append(accepted, payload)
				continue
			}
			if !assert.ErrorIs(t, err, ErrUnavailable) {
				return
			}
			unavailable++
			time.Sleep(time.Millisecond) // as a sender would wait
		}
	})
	writes := func() bool {
		_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "mark", Payload: []byte("mark")})
		return err == nil
	}
	for range 3 {
		require.Eventually(t, writes, time.Minute, 10*time.Millisecond)
		server.Kill()
		require.Eventually(t, func() bool {
			_, err := s.InstallationByID(ctx, "app", i.ID)
			return errors.Is(err, ErrUnavailable)
		}, time.Minute, time.Millisecond, "reading says that the database is gone")
		require.NoError(t, server.Run())
		require.Eventually(t, func() bool {
			_, err := s.InstallationByID(ctx, "app", i.ID)
			return err == nil
		}, time.Minute, 10*time.Millisecond)
	}
	require.Eventually(t, writes, time.Minute, 10*time.Millisecond) // which takes the lock again
	close(stop)
	sending.Wait()
	kept := payloads(t, s, i.ID, 0, QueueMax)
	if len(kept) < QueueMax {
		assert.Subset(t, kept, accepted)
	} else {
		assert.Subset(t, kept, accepted[max(0, len(accepted)-QueueMax/2):])
	}
	t.Logf("%d accepted, %d refused while the server was away", len(accepted), unavailable)
	_, err = OpenPostgres(ctx, server.URL("postgres", ""), Options{})
	assert.ErrorIs(t, err, ErrLocked, "the lock was taken again")
}

// Who has lost the lock to somebody else does not write any more.
func TestWhoHasLostTheLockDoesNotWrite(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openPostgres(t, dir, nil)
	i := installFor(t, s, "u")
	other := openPostgres(t, t.TempDir(), nil) // a hand in the same database
	end := func() {
		require.Eventually(t, func() bool { // the connection with the lock, not those that read
			return count(t, other, `SELECT COUNT(*) FROM pg_stat_activity, LATERAL pg_terminate_backend(pid) WHERE application_name = '`+s.name+`'`) == 0
		}, time.Minute, time.Millisecond)
	}
	end()
	next := openPostgres(t, dir, nil)
	_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "m", Payload: []byte("x")})
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorIs(t, err, ErrUnavailable)
	require.NoError(t, next.Close())
	require.Eventually(t, func() bool { // the server lets go of the lock when it has noticed that the connection ended
		_, _, err = s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "m", Payload: []byte("x")})
		return !errors.Is(err, ErrLocked)
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, []string{"x"}, payloads(t, s, i.ID, 0, 10))
}

// PostgreSQL has counted no rows yet, as after a restore. A plan that looks at all installations for each subscriber takes many minutes.
func TestPostgresFindsManyReceiversBeforeItHasCountedThem(t *testing.T) {
	const many = 30_000
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := openPostgres(t, t.TempDir(), nil)
	topic, err := s.CreateTopic(ctx, Topic{Scope: Scope{AppID: "app", Kind: ScopeApp}, Name: "news"})
	require.NoError(t, err)
	require.NoError(t, s.writer.do(ctx, func(t tx) error {
		return t.exec(`INSERT INTO installations (id, registration_id, app_id, owner_kind, owner_id, device_type, development, topic, created_at, ready_at, last_seq)
			SELECT md5('i'||n), md5('r'||n), 'app', 'user', md5('o'||n), 'MQTT', 0, md5('t'||n), 0, 0, 0 FROM generate_series(1, $1::int) n`, many)
	}))
	require.NoError(t, s.writer.do(ctx, func(t tx) error {
		return t.exec(`INSERT INTO topic_subscriptions SELECT $1, 'app', 'user', md5('o'||n), 0 FROM generate_series(1, $2::int) n`, topic.ID, many)
	}))
	found, err := s.TopicReceivers(ctx, topic.ID, "MQTT", Environments{Production: true})
	require.NoError(t, err)
	require.Len(t, found, many)
}
