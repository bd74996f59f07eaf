package rabbitmq

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// queuePrefix begins the names of the queues of RabbitMQ's MQTT plugin.
const queuePrefix = "mqtt-subscription-"

// queueName is what the plugin calls a client's queue for subscriptions at qos.
func queueName(clientID string, qos int) string {
	return fmt.Sprintf("%s%sqos%d", queuePrefix, clientID, qos)
}

// queueArguments are those of a session that never expires, with mqtt.durable_queue_type = quorum. A
// client with another session expiry has the plugin change them, so queues are looked for before they
// are declared. Beside a consumer that has died with its node, and has acknowledged nothing yet, a new one
// would get what comes after that first: with a single active consumer it waits until RabbitMQ
// has taken back what the dead one had.
func queueArguments() amqp.Table {
	return amqp.Table{"x-queue-type": "quorum", "x-single-active-consumer": true}
}

// ensure makes the queue of a topic where it is missing. bind makes sure, too, that one that is there gets
// what is published: a client that has unsubscribed leaves its queue without.
func (l *link) ensure(ctx context.Context, topic string, bind bool) (made bool, err error) {
	name := queueName(topic, 1)
	err = l.use(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		return err
	})
	missing := isCode(err, amqp.NotFound)
	switch {
	case err != nil && !missing:
		return false, fmt.Errorf("look for a queue: %w", err)
	case err == nil && !bind:
		return false, nil
	}
	err = l.use(ctx, func(ch *amqp.Channel) error {
		if missing {
			if _, err := ch.QueueDeclare(name, true, false, false, false, queueArguments()); err != nil {
				return err
			}
		}
		return ch.QueueBind(name, topic, exchange, false, nil)
	})
	if err != nil {
		return false, fmt.Errorf("make a queue: %w", err)
	}
	return missing, nil
}

// remove removes a topic's queues. Those that are not there do not matter.
func (l *link) remove(ctx context.Context, topic string) error {
	return l.use(ctx, func(ch *amqp.Channel) error {
		for qos := range 2 {
			if _, err := ch.QueueDelete(queueName(topic, qos), false, false, false); err != nil {
				return fmt.Errorf("remove a queue: %w", err)
			}
		}
		return nil
	})
}

// look makes a round trip that asks for nothing but the exchange.
func (l *link) look(ctx context.Context) error {
	return l.use(ctx, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(exchange, "topic", true, false, false, false, nil)
	})
}

func isCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}
