package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTopics: a page makes a topic, subscribes, sends to it and hears of it.
func TestTopics(t *testing.T) {
	s := newSite(t)
	p := s.page(secure)
	p.connectAs(s.NewUser())
	var saw struct {
		Before, After, Subscribed, Left, Gone bool
		List                                  struct {
			Topics        []string
			PaginationKey *string
		}
		Again, Nothing struct{ Code, KiiCode, Remedy string }
	}
	p.eval(`
		const topic = { name: "alerts", userID: "me" };
		const saw = { before: await kii.topicExists(topic) };
		const refused = async (call) => { try { await call } catch (e) { return describe(e) } };
		saw.nothing = await refused(kii.subscribe(topic));
		await kii.createTopic(topic);
		saw.again = await refused(kii.createTopic(topic));
		saw.after = await kii.topicExists(topic);
		await kii.subscribe(topic);
		await kii.subscribe(topic);
		saw.subscribed = await kii.isSubscribed({ name: "alerts", userID: kii.current.userID });
		saw.list = await kii.listTopics({ userID: "me" });
		const { pushMessageID } = await kii.sendToTopic(topic, { data: { text: "to the topic" }, sendTopicID: true });
		if (!pushMessageID) throw new Error("no pushMessageID");
		await until(() => got.length > 0);
		await kii.unsubscribe(topic);
		await kii.unsubscribe(topic);
		saw.left = !await kii.isSubscribed(topic);
		await kii.sendToTopic(topic, { data: { text: "to nobody" } });
		await kii.sendToMe({ data: { text: "to me" } });
		await until(() => got.length > 1);
		await kii.deleteTopic(topic);
		saw.gone = !await kii.topicExists(topic);
		return saw`, &saw)
	assert.False(t, saw.Before)
	assert.Equal(t, "NOT_FOUND", saw.Nothing.Code)
	assert.Equal(t, "TOPIC_NOT_FOUND", saw.Nothing.KiiCode)
	assert.Contains(t, saw.Nothing.Remedy, "createTopic")
	assert.True(t, saw.After)
	assert.Equal(t, "CONFLICT", saw.Again.Code)
	assert.Equal(t, "TOPIC_ALREADY_EXISTS", saw.Again.KiiCode)
	assert.True(t, saw.Subscribed)
	assert.Equal(t, []string{"alerts"}, saw.List.Topics)
	assert.Nil(t, saw.List.PaginationKey, "there is no further page")
	assert.True(t, saw.Left)
	assert.True(t, saw.Gone)
	p.awaitTexts("to the topic", "to me")
	var topic string
	p.Eval("got[0].topic", &topic)
	assert.Equal(t, "alerts", topic)
	p.assertQuiet("404", "409")
}

// TestAThingInAPage: a thing registers, and another page goes on as the same thing.
func TestAThingInAPage(t *testing.T) {
	s := newSite(t)
	one, two := s.page(plain), s.page(plain)
	one.eval(`
		globalThis.login = await kii.registerThing("serial-1", "a long enough password");
		if (!login.thingID || login.userID || kii.current !== login) throw new Error(JSON.stringify(login));
		await journey();
		await kii.sendToMe({ data: { text: "to the thing" } })`, nil)
	one.awaitTexts("to the thing")
	var ids [2]string
	one.Eval("login.thingID", &ids[0])
	two.eval(`globalThis.login = await kii.loginAsThing("serial-1", "a long enough password");
		await kii.useToken(login.token, login);
		const topic = { name: "orders", thingID: login.thingID };
		await kii.createTopic(topic);
		await kii.subscribe(topic);
		await kii.sendToTopic(topic, { data: { text: "from elsewhere" } })`, nil)
	two.Eval("login.thingID", &ids[1])
	assert.Equal(t, ids[0], ids[1])
	one.awaitTexts("to the thing", "from elsewhere")
	assert.Equal(t, "CONFLICT", two.rejects(`await kii.registerThing("serial-1", "a long enough password")`).Code)
	f := two.rejects(`await kii.loginAsThing("serial-1", "not the password")`)
	assert.Equal(t, "BAD_CREDENTIALS", f.Code)
	assert.Contains(t, f.Remedy, "vendorThingID")
	one.assertQuiet()
	two.assertQuiet("400", "409")
}
