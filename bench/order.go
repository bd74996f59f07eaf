package main

// inTurn gives the order in which n perform in a turn, the first turn being 0. It is a balanced one: in n turns
// in a row, or 2n where n is odd, everybody is first and last equally often and comes right behind each of
// the others equally often. So nobody is always measured in what the same one has left behind.
// (E. J. Williams: Experimental designs balanced for the estimation of residual effects of treatments, 1949.)
func inTurn(n, turn int) []int {
	order := make([]int, n)
	for i := range order {
		at := (i + 1) / 2 // 0, 1, n-1, 2, n-2, …: each difference between neighbours once
		if i%2 == 0 {
			at = n - i/2
		}
		place := i
		if n%2 == 1 && turn/n%2 == 1 {
			place = n - 1 - i // with an odd number the way back balances what the way there does not
		}
		order[place] = (at + turn) % n
	}
	return order
}
