package kiicloud

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
)

// countEvery is how often the queues are counted at most: it takes a while where they are long.
const countEvery = 5 * time.Second

// metrics are what a cloud counts, for Prometheus. The engine's numbers are fetched when they are
// asked for; the histograms are told of what happens.
type metrics struct {
	registry *prometheus.Registry
	delivery prometheus.Histogram
	requests *prometheus.HistogramVec

	engine  func() engine.Stats
	queued  func(context.Context) (int64, error)
	refused func() (full, own int64) // connections
	lapses  func() time.Time         // of the certificate; nil where there is none

	mu      sync.Mutex
	counted time.Time
	length  int64
}

// The engine's numbers.
var (
	connectionsDesc = prometheus.NewDesc("kiicloud_mqtt_connections", "MQTT connections that are open.", nil, nil)
	connectsDesc    = prometheus.NewDesc("kiicloud_mqtt_connects_total", "MQTT connections that were let in.", nil, nil)
	endedDesc       = prometheus.NewDesc("kiicloud_mqtt_ended_total", "MQTT connections that ended or were refused, by the reason code of MQTT 5; 0x00 where the client went.", []string{"code"}, nil)
	acceptedDesc    = prometheus.NewDesc("kiicloud_pushes_accepted_total", "Pushes and events that were stored for at least one installation.", nil, nil)
	enqueuedDesc    = prometheus.NewDesc("kiicloud_pushes_enqueued_total", "Pushes put into queues, one for each receiver.", nil, nil)
	sentDesc        = prometheus.NewDesc("kiicloud_pushes_sent_total", "Pushes written to clients, repeats included.", nil, nil)
	deliveredDesc   = prometheus.NewDesc("kiicloud_pushes_delivered_total", "Pushes that clients have acknowledged, or got at QoS 0.", nil, nil)
	droppedDesc     = prometheus.NewDesc("kiicloud_pushes_dropped_total", "Pushes that no client gets.", []string{"why"}, nil)
	refusedDesc     = prometheus.NewDesc("kiicloud_pushes_refused_total", "Pushes that RabbitMQ did not take.", nil, nil)
	unconfirmedDesc = prometheus.NewDesc("kiicloud_pushes_unconfirmed_total", "Pushes of which RabbitMQ did not say in time whether it has them.", nil, nil)
	remadeDesc      = prometheus.NewDesc("kiicloud_queues_remade_total", "Queues of RabbitMQ's that were missing, or not bound, when a push came for them.", nil, nil)
	turnedAwayDesc  = prometheus.NewDesc("kiicloud_connections_refused_total", "Connections that were turned away, because there were too many in all, or from their address.", []string{"why"}, nil)
	lapsesDesc      = prometheus.NewDesc("kiicloud_certificate_lapse_timestamp_seconds", "When the certificate that clients are shown lapses, in seconds since 1970.", nil, nil)
	waitingDesc     = prometheus.NewDesc("kiicloud_pushes_waiting", "Pushes that wait for their clients in the store; with RabbitMQ, events that wait for that.", nil, nil)
)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kiicloud_push_send_seconds", Help: "From the acceptance of a push until it was written to its client, which may have been away.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 60, 3600},
		}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kiicloud_http_request_seconds", Help: "Requests of the REST API, by route and status; no route is empty.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"method", "route", "status"}),
	}
	b := ThisBuild()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kiicloud_build_info", Help: "1; the labels say what the program was built from.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go": b.Go},
	})
	build.Set(1)
	m.registry.MustRegister(m, build, m.delivery, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe hears of a request.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// took hears of a push that was sent.
func (m *metrics) took(d time.Duration) { m.delivery.Observe(max(0, d.Seconds())) }

// Describe is a prometheus.Collector's.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, connectsDesc, endedDesc, acceptedDesc, enqueuedDesc, sentDesc, deliveredDesc, droppedDesc, waitingDesc, refusedDesc, unconfirmedDesc, remadeDesc, turnedAwayDesc, lapsesDesc} {
		to <- d
	}
}

// Collect is a prometheus.Collector's.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	s := m.engine()
	counters := []count{{acceptedDesc, s.Accepted, ""}, {enqueuedDesc, s.Queued, ""}}
	if s.Elsewhere { // connections and deliveries are in RabbitMQ's own metrics
		counters = append(counters, count{refusedDesc, s.Refused, ""}, count{unconfirmedDesc, s.Unconfirmed, ""}, count{remadeDesc, s.Remade, ""})
	} else {
		to <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(s.Connections))
		counters = append(counters, count{connectsDesc, s.Connects, ""}, count{sentDesc, s.Sent, ""}, count{deliveredDesc, s.Delivered, ""},
			count{droppedDesc, s.Dropped, "full queue"}, count{droppedDesc, s.TooLarge, "too large for the client"})
	}
	full, own := m.refused()
	counters = append(counters, count{turnedAwayDesc, full, "all"}, count{turnedAwayDesc, own, "address"})
	for _, c := range counters {
		var labels []string
		if c.label != "" {
			labels = []string{c.label}
		}
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.n), labels...)
	}
	for code, n := range s.Ended {
		to <- prometheus.MustNewConstMetric(endedDesc, prometheus.CounterValue, float64(n), fmt.Sprintf("0x%02x", int(code)))
	}
	if m.lapses != nil {
		if at := m.lapses(); !at.IsZero() {
			to <- prometheus.MustNewConstMetric(lapsesDesc, prometheus.GaugeValue, float64(at.Unix()))
		}
	}
	if n, err := m.waiting(); err == nil {
		to <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(n))
	}
}

// count is a number of the engine's.
type count struct {
	desc  *prometheus.Desc
	n     int64
	label string // "" where desc has none
}

// waiting is the length of all queues, a few seconds old at most.
func (m *metrics) waiting() (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.counted) < countEvery {
		return m.length, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), countEvery)
	defer cancel()
	n, err := m.queued(ctx)
	if err != nil {
		return 0, err
	}
	m.counted, m.length = time.Now(), n
	return n, nil
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
