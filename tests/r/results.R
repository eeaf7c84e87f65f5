# The figures that R gives for the example study; they stand in results.csv beside this script. With R and its package
# survival (Debian: r-base-core, r-cran-survival), from the top of the checkout:
#
#     itp-response classify examples/visits.csv --patients examples/patients.csv --output verdicts.csv
#     Rscript tests/r/results.R verdicts.csv examples/patients.csv > tests/r/results.csv

library(survival)
paths <- commandArgs(trailingOnly = TRUE)
found <- merge(read.csv(paths[1]), read.csv(paths[2]), by = c("patient_id", "arm"))
combined <- found$arm == "ATRA + LD-RTX"

say <- function(name, value) cat(name, ",", format(value, digits = 12), "\n", sep = "")
cat("figure,value\n")

# Shares: differences, tests.
for (name in c("OR", "CR", "SR", "remission", "late_rescue")) {
  met <- c(sum(found[[name]][combined] == "Y"), sum(found[[name]][!combined] == "Y"))
  of <- c(sum(combined), sum(!combined))
  for (correct in c(FALSE, TRUE)) {
    test <- prop.test(met, of, correct = correct)
    method <- if (correct) "wald-cc" else "wald"
    say(paste(name, method, "low"), test$conf.int[1])
    say(paste(name, method, "high"), test$conf.int[2])
    if (!correct) say(paste(name, "chi-squared"), test$p.value)
  }
  say(paste(name, "Fisher"), fisher.test(rbind(met, of - met))$p.value)
}
done <- found$per_protocol == "yes"
test <- prop.test(c(sum(found$OR[done & combined] == "Y"), sum(found$OR[done & !combined] == "Y")),
                  c(sum(done & combined), sum(done & !combined)))
say("OR per protocol wald-cc low", test$conf.int[1])
say("OR per protocol wald-cc high", test$conf.int[2])
test <- prop.test(c(10, 10), c(20, 21))  # so near that the correction is less than half a patient
say("near wald-cc low", test$conf.int[1])
say("near wald-cc high", test$conf.int[2])

# Times.
say("TTR Mann-Whitney", wilcox.test(found$TTR_days[combined], found$TTR_days[!combined], exact = FALSE)$p.value)
for (arm in c("ATRA + LD-RTX", "LD-RTX")) {
  quarters <- quantile(found$TTR_days[found$arm == arm], c(.25, .5, .75), type = 6, na.rm = TRUE)
  names <- c("lower quartile", "median", "upper quartile")
  for (place in 1:3) say(paste("TTR", arm, names[place]), quarters[[place]])
}
lasting <- Surv(found$DOR_days, found$DOR_event)
curves <- summary(survfit(lasting ~ found$arm, conf.type = "log-log"))$table
for (arm in rownames(curves)) {
  label <- sub("found$arm=", "", arm, fixed = TRUE)
  for (what in c("median", "0.95LCL", "0.95UCL")) {
    name <- c(median = "median", "0.95LCL" = "low", "0.95UCL" = "high")[[what]]
    say(paste("DOR", label, name), curves[arm, what])
  }
}
of.best <- summary(survfit(lasting ~ found$best_response, conf.type = "log-log"))$table["found$best_response=R", ]
for (what in c("median", "0.95LCL", "0.95UCL")) say(paste("DOR best_response R", what), of.best[[what]])
ranks <- survdiff(lasting ~ found$arm)
say("DOR log-rank", pchisq(ranks$chisq, 1, lower.tail = FALSE))
model <- summary(coxph(lasting ~ combined))
say("DOR hazard ratio", model$conf.int[1])
say("DOR hazard ratio low", model$conf.int[3])
say("DOR hazard ratio high", model$conf.int[4])
say("DOR hazard ratio p", model$coefficients[5])
of.grades <- summary(coxph(lasting ~ factor(entry_bleeding_grade), data = found))
for (grade in c(1, 2)) {
  name <- paste("DOR grade", grade)
  say(paste(name, "hazard ratio"), of.grades$conf.int[grade, 1])
  say(paste(name, "hazard ratio p"), of.grades$coefficients[grade, 5])
}
say("Fisher of three", fisher.test(rbind(c(3, 1, 2), c(1, 5, 9)))$p.value)
say("Fisher of four", fisher.test(rbind(c(8, 1, 2, 0), c(12, 15, 9, 7)))$p.value)
say("DOR naive Mann-Whitney", wilcox.test(found$DOR_days[combined], found$DOR_days[!combined], exact = FALSE)$p.value)

# Within strata: sex.
sexes <- factor(found$sex)
for (name in c("OR", "SR")) {
  test <- mantelhaen.test(table(!combined, found[[name]] != "Y", sexes), correct = FALSE)
  say(paste(name, "strata odds ratio"), test$estimate)
  say(paste(name, "strata low"), test$conf.int[1])
  say(paste(name, "strata high"), test$conf.int[2])
  say(paste(name, "strata CMH"), test$p.value)
}
model <- summary(coxph(lasting ~ combined + strata(sexes)))
say("DOR strata hazard ratio", model$conf.int[1])
say("DOR strata low", model$conf.int[3])
say("DOR strata high", model$conf.int[4])
ranks <- survdiff(lasting ~ combined + strata(sexes))
say("DOR strata log-rank", pchisq(ranks$chisq, 1, lower.tail = FALSE))

# Interaction of arm and sex, by likelihood ratios.
for (name in c("OR", "late_rescue")) {
  alike <- glm((found[[name]] == "Y") ~ combined + sexes, family = binomial)
  test <- anova(alike, update(alike, . ~ combined * sexes), test = "LRT")
  say(paste(name, "interaction"), test[["Pr(>Chi)"]][2])
}
grades <- factor(pmin(found$entry_bleeding_grade, 2))
alike <- glm((found$OR == "Y") ~ combined + grades, family = binomial)
say("OR interaction of three", anova(alike, update(alike, . ~ combined * grades), test = "LRT")[["Pr(>Chi)"]][2])
alike <- coxph(lasting ~ combined + sexes)
say("DOR interaction", anova(alike, coxph(lasting ~ combined * sexes))[["Pr(>|Chi|)"]][2])

# Restricted means up to the largest time of both arms, and up to day 200.
for (until in c(min(tapply(found$DOR_days, found$arm, max, na.rm = TRUE)), 200)) {
  means <- summary(survfit(lasting ~ found$arm), rmean = until)$table
  name <- paste("DOR restricted mean to", until)
  for (arm in rownames(means)) {
    label <- sub("found$arm=", "", arm, fixed = TRUE)
    say(paste(name, label), means[arm, "rmean"])
    say(paste(name, label, "low"), means[arm, "rmean"] - qnorm(.975) * means[arm, "se(rmean)"])
  }
  gap <- means[1, "rmean"] - means[2, "rmean"]
  error <- sqrt(sum(means[, "se(rmean)"]^2))
  say(paste(name, "difference"), gap)
  say(paste(name, "high"), gap + qnorm(.975) * error)
  say(paste(name, "p"), 2 * pnorm(-abs(gap / error)))
}

# Cumulative incidence of relapse, with an invented death of every fifth patient competing.
patients <- read.csv(paths[2])
number <- match(found$patient_id, patients$patient_id)
died <- ifelse(number %% 5 == 0, 60 + 2 * number, Inf)
since <- died - found$OR_day
first <- since >= 0 & ifelse(found$DOR_event == 1, since < found$DOR_days, died <= 365)
status <- factor(ifelse(first, 2, found$DOR_event), 0:2)
of.both <- survfit(Surv(ifelse(first, since, found$DOR_days), status) ~ found$arm)
at <- summary(of.both, times = 343, extend = TRUE)
for (arm in 1:2) {
  name <- paste("DOR incidence", c("ATRA + LD-RTX", "LD-RTX")[arm])
  share <- at$pstate[arm, 2]
  spread <- qnorm(.975) * at$std.err[arm, 2] / (share * log(share))
  say(name, share)
  say(paste(name, "low"), share^exp(-spread))
  say(paste(name, "high"), share^exp(spread))
}

# Tipping point of late rescue: all combinations, by the test of the tables.
met <- c(sum(found$late_rescue[combined] == "Y"), sum(found$late_rescue[!combined] == "Y"))
open <- c(sum(found$late_rescue[combined] == "NE"), sum(found$late_rescue[!combined] == "NE"))
of <- c(sum(combined), sum(!combined))
concluded <- function(more) {
  table <- rbind(met + more, of - met - more)
  plain <- suppressWarnings(chisq.test(table, correct = FALSE))
  p <- if (all(plain$expected >= 5)) plain$p.value else fisher.test(table)$p.value
  share <- (met + more) / of
  c(p, if (p < .05) sign(share[1] - share[2]) else 0)
}
grid <- expand.grid(first = 0:open[1], second = 0:open[2])
results <- apply(grid, 1, concluded)
changed <- grid[results[2, ] != concluded(c(0, 0))[2], ]
smallest <- changed[which.min(rowSums(changed)), ]
say("late_rescue tipping first", smallest$first)
say("late_rescue tipping second", smallest$second)
say("late_rescue tipping p", concluded(unlist(smallest))[1])
say("late_rescue tipping combinations", nrow(changed))

# Odds ratios.
odds <- function(name, outcome, column) {
  fit <- summary(glm(outcome ~ column, family = binomial))$coefficients[2, ]
  say(paste(name, "odds ratio"), exp(fit[[1]]))
  say(paste(name, "low"), exp(fit[[1]] - qnorm(.975) * fit[[2]]))
  say(paste(name, "high"), exp(fit[[1]] + qnorm(.975) * fit[[2]]))
  say(paste(name, "p"), fit[[4]])
}
responded <- found$OR == "Y"
odds("OR age", responded, found$age)
odds("OR male", responded, found$sex == "male")
odds("OR nk_cells", responded, found$nk_cells)
fit <- summary(glm((found$SR == "Y") ~ (found$CR == "Y") + found$age, family = binomial, subset = found$CR != "NE"))
say("SR CR adjusted odds ratio", exp(fit$coefficients[2, 1]))

# Predictors: by groups, and DeLong's interval of the area as he writes it, pair by pair.
group <- ifelse(found$best_response == "NE", NA, found$best_response)
say("nk_cells Kruskal-Wallis", kruskal.test(found$nk_cells, group)$p.value)
better <- found$nk_cells[which(group %in% c("CR", "R") & !is.na(found$nk_cells))]
worse <- found$nk_cells[which(group == "NR" & !is.na(found$nk_cells))]
wins <- outer(better, worse, function(a, b) (a < b) + (a == b) / 2)
area <- mean(wins)
spread <- sqrt(var(rowMeans(wins)) / length(better) + var(colMeans(wins)) / length(worse))
say("nk_cells area", area)
say("nk_cells area low", area - qnorm(.975) * spread)
say("nk_cells area high", area + qnorm(.975) * spread)
