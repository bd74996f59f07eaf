// Package rabbitmq is the engine that delivers through a cluster of RabbitMQ 4.x, for a cloud of
// several processes. MQTT clients connect to RabbitMQ itself; the processes behind it publish over AMQP
// 0-9-1, answer RabbitMQ's questions about clients (Auth), and end connections through its management
// API.
//
// An installation's queue is the one that RabbitMQ's MQTT plugin gives a session at QoS 1:
// mqtt-subscription-<client identifier>qos1, bound to amq.topic. The plugin makes it at the first
// SUBSCRIBE; here it is made with the installation, as a quorum queue, so that pushes have a place
// from then on. Clients may use their queue and neither make nor remove it: a clean start, which would
// throw waiting pushes away, is refused, unless the address says otherwise.
//
// A push is accepted when RabbitMQ has confirmed it, which a quorum queue does when most of its
// members have it on disk. One that RabbitMQ cannot route comes back (mandatory); then the queue
// is made anew and the push is sent once more.
//
// Events of buckets are written to the store together with the change that they tell of. They wait
// there until RabbitMQ has them (relay.go).
package rabbitmq
