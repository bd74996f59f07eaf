// Package rabbitnode runs RabbitMQ 4.x for tests: one node, or a cluster of several, on loopback
// addresses and free ports, each with a data folder of its own, able to be killed and started again.
//
// The nodes run by chroot in .cache/rabbitmq, which `sh tests/deps.sh cluster` makes, each in a mount
// namespace of its own: nothing of the machine's own RabbitMQ or port mapper takes part.
package rabbitnode
