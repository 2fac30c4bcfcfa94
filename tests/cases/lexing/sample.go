package main
func f(x ...int) (<-chan int, error) { defer g(); return `raw`, nil }
