package store

import "context"

const (
	installationColumns = `id, registration_id, app_id, owner_kind, owner_id, device_type, development, topic, created_at, ready_at, last_seq`

	// The first install decides ids, topic and readiness; the last one decides development.
	install = `INSERT INTO installations (` + installationColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
		ON CONFLICT (app_id, owner_kind, owner_id, device_type) DO UPDATE SET development = excluded.development
		RETURNING ` + installationColumns

	selectInstallation = `SELECT ` + installationColumns + ` FROM installations WHERE `

	byID           = selectInstallation + `app_id = $1 AND id = $2`
	byRegistration = selectInstallation + `app_id = $1 AND device_type = $2 AND registration_id = $3`
	byTopic        = selectInstallation + `topic = $1 AND NOT (owner_kind = 'THING' AND EXISTS
		(SELECT 1 FROM things WHERE things.app_id = installations.app_id AND things.id = owner_id AND disabled = 1))`
	byOwner = selectInstallation + `app_id = $1 AND owner_kind = $2 AND owner_id = $3 ORDER BY created_at, id`

	deleteInstallation = `DELETE FROM installations WHERE app_id = $1 AND id = $2 RETURNING ` + installationColumns
)

// Install registers i, or finds the installation that its owner has for the device
// type already: then that one's ids, topic and times are kept and only Development
// changes. It returns what is stored and whether it is new. ID, RegistrationID and
// Topic are the caller's choice for the new one; empty ones are made.
func (s *SQL) Install(ctx context.Context, i Installation) (stored Installation, created bool, err error) {
	for _, id := range []*string{&i.ID, &i.RegistrationID, &i.Topic} {
		if *id == "" {
			*id = NewID()
		}
	}
	if i.CreatedAt.IsZero() {
		i.CreatedAt = s.now()
	}
	err = s.writer.do(ctx, func(t tx) (err error) {
		if err := t.look(i.Owner); err != nil {
			return err
		}
		stored, err = scanInstallation(t.row(install, i.ID, i.RegistrationID, i.Owner.AppID, string(i.Owner.Kind), i.Owner.ID,
			i.DeviceType, bit(i.Development), i.Topic, millis(i.CreatedAt), millis(i.ReadyAt)))
		return err
	})
	if err != nil {
		return Installation{}, false, wrap("install", err)
	}
	return stored, stored.ID == i.ID, nil
}

// InstallationByID finds an installation of an app. The error may be ErrNotFound.
func (s *SQL) InstallationByID(ctx context.Context, appID, id string) (Installation, error) {
	i, err := scanInstallation(s.row(ctx, byID, appID, id))
	return i, wrap("find an installation", err)
}

// InstallationByRegistration finds an installation of an app by its registration id.
// The error may be ErrNotFound.
func (s *SQL) InstallationByRegistration(ctx context.Context, appID, deviceType, registrationID string) (Installation, error) {
	i, err := scanInstallation(s.row(ctx, byRegistration, appID, deviceType, registrationID))
	return i, wrap("find an installation", err)
}

// InstallationByTopic finds an installation by its mqttTopic, for a client that connects. The
// error may be ErrNotFound, also while its thing is disabled.
func (s *SQL) InstallationByTopic(ctx context.Context, topic string) (Installation, error) {
	i, err := scanInstallation(s.row(ctx, byTopic, topic))
	return i, wrap("find an installation", err)
}

// InstallationsOf gives all installations of an owner, oldest first.
func (s *SQL) InstallationsOf(ctx context.Context, o Owner) ([]Installation, error) {
	rows, err := s.rows(ctx, byOwner, o.AppID, string(o.Kind), o.ID)
	all, err := collect(rows, err, scanInstallation)
	return all, wrap("list installations", err)
}

// DeleteInstallation removes an installation and its queue and returns what it was.
// The error is ErrNotFound when it is gone already.
func (s *SQL) DeleteInstallation(ctx context.Context, appID, id string) (gone Installation, err error) {
	err = s.writer.do(ctx, func(t tx) (err error) {
		if err := s.note(t, endingOfOne, EndingRemoved, appID, id); err != nil {
			return err
		}
		gone, err = scanInstallation(t.row(deleteInstallation, appID, id))
		return err
	})
	return gone, wrap("delete an installation", err)
}

func scanInstallation(r scanner) (i Installation, err error) {
	var kind string
	var development, created, ready int64
	err = r.Scan(&i.ID, &i.RegistrationID, &i.Owner.AppID, &kind, &i.Owner.ID, &i.DeviceType, &development, &i.Topic, &created, &ready, &i.LastSeq)
	if err != nil {
		return Installation{}, notFound(err)
	}
	i.Owner.Kind = OwnerKind(kind)
	i.Development = development != 0
	i.CreatedAt, i.ReadyAt = fromMillis(created), fromMillis(ready)
	return i, nil
}

// bit is how both databases keep a boolean here.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
