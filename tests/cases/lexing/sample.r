x <- c(1L, NA, TRUE); f <- function(a, ...) a %in% b # c
