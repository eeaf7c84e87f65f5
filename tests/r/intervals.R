# 95% CIs of a difference of proportions over a grid of tables; they stand in intervals.csv beside this script. With R:
#
#     Rscript tests/r/intervals.R > tests/r/intervals.csv
#
# Wald's intervals, with and without continuity correction, and Wilson's limits are prop.test's. The score interval is
# found without a formula for the restricted shares: their likelihood is maximised by optimize, the limits by uniroot.

z <- qnorm(.975)
wilson <- function(x, n) prop.test(x, n, correct = FALSE)$conf.int

newcombe <- function(x, n) {
  p <- x / n; first <- wilson(x[1], n[1]); second <- wilson(x[2], n[2])
  p[1] - p[2] + c(-sqrt((p[1] - first[1])^2 + (second[2] - p[2])^2), sqrt((first[2] - p[1])^2 + (p[2] - second[1])^2))
}
agresti.caffo <- function(x, n) {
  p <- (x + 1) / (n + 2)
  p[1] - p[2] + c(-1, 1) * z * sqrt(sum(p * (1 - p) / (n + 2)))
}
part <- function(x, p) if (x == 0) 0 else x * log(p)
likelihood <- function(q, d, x, n) part(x[1], q + d) + part(n[1] - x[1], 1 - q - d) + part(x[2], q) + part(n[2] - x[2], 1 - q)
beyond <- function(d, x, n) {  # below 0: the difference is within the interval
  range <- c(max(0, -d), min(1, 1 - d))
  q <- suppressWarnings(optimize(likelihood, range, d = d, x = x, n = n, maximum = TRUE, tol = 1e-13)$maximum)
  ends <- sapply(range, likelihood, d = d, x = x, n = n)
  ends[is.nan(ends)] <- -Inf
  if (max(ends) >= likelihood(q, d, x, n)) q <- range[which.max(ends)]
  v <- ((q + d) * (1 - q - d) / n[1] + q * (1 - q) / n[2]) * sum(n) / (sum(n) - 1)
  (x[1] / n[1] - x[2] / n[2] - d)^2 - z^2 * v
}
score <- function(x, n) {
  at <- x[1] / n[1] - x[2] / n[2]
  limit <- function(end) {
    if (at == end) return(end)
    uniroot(beyond, sort(c(at + sign(end) * 1e-6, end * (1 - 1e-12))), x = x, n = n, tol = 1e-13)$root
  }
  c(limit(-1), limit(1))
}
say <- function(method, x, n, limits) {
  limits <- pmin(1, pmax(-1, limits))
  cat(sprintf("%s,%d,%d,%d,%d,%.9f,%.9f\n", method, x[1], n[1], x[2], n[2], limits[1], limits[2]))
}

cat("method,met,of,met_second,of_second,low,high\n")
for (n in list(c(1, 1), c(5, 10), c(10, 10), c(29, 56), c(112, 56))) {
  some <- function(size) unique(round(c(0, 1, size * .3, size / 2, size - 1, size)))
  for (first in some(n[1])) for (second in some(n[2])) {
    x <- c(first, second)
    for (correct in c(FALSE, TRUE)) {
      limits <- suppressWarnings(prop.test(x, n, correct = correct)$conf.int)
      say(if (correct) "wald-cc" else "wald", x, n, limits)
    }
    suppressWarnings(say("newcombe", x, n, newcombe(x, n)))
    say("agresti-caffo", x, n, agresti.caffo(x, n))
    say("score", x, n, score(x, n))
  }
}
