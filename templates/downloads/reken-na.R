# Reken na met metafor en clubSandwich: dezelfde rijen, dezelfde modellen.
#
# Zet dit bestand naast rijen.csv en start het met: Rscript reken-na.R
# Nodig: install.packages(c("metafor", "clubSandwich"))
#
# @CITATION@

library(metafor)
library(clubSandwich)

settings <- list(
@SETTINGS@
)

rows <- read.csv("rijen.csv", check.names = FALSE, fileEncoding = "UTF-8", stringsAsFactors = FALSE)
rows <- rows[rows$used == 1, ]
rows <- rows[order(rows$study, rows$row), ]
studies <- length(unique(rows$study))
# samenhang tussen de fouten van een studie: geen in het model met drie niveaus
rho_used <- if (settings$model == "three-level") 0 else settings$rho
cat(studies, "studies,", nrow(rows), "effecten\n")
if (studies < settings$fewest_studies) stop("Te weinig studies voor een gemiddelde.")

if (settings$model %in% c("independent", "per-study")) {
  if (settings$model == "per-study") {
    # een effect per studie, met samenhang rho tussen de fouten
    data <- escalc(yi = effect, vi = variance, data = rows, measure = "GEN")
    data <- aggregate(data, cluster = rows$study, struct = "CS", rho = settings$rho)
  } else {
    data <- data.frame(yi = rows$effect, vi = rows$variance, study = rows$study)
  }
  fit <- rma(yi, vi, data = data, method = settings$method, test = settings$test)
  print(fit, digits = 6)
  print(confint(fit), digits = 6) # Q-profiel
  # voorspelling met t(k - 2), Higgins, Thompson & Spiegelhalter 2009
  half <- qt(c(0.975, 0.9), df = fit$k - 2) * sqrt(fit$se^2 + fit$tau2)
  cat("voorspelling van 95%:", fit$beta[1] - half[1], "tot", fit$beta[1] + half[1], "\n")
  cat("voorspelling van 80%:", fit$beta[1] - half[2], "tot", fit$beta[1] + half[2], "\n")
  forest(fit, slab = data$study)
  funnel(fit)
  if (fit$k >= settings$fewest_for_checks) {
    # toets van Egger, voor verschillen met sqrt(1/n1 + 1/n2) en niet de standaardfout (Pustejovsky & Rodgers 2019)
    unsplit <- is.na(rows$n1) | is.na(rows$n2)
    n1 <- ifelse(unsplit, rows$pupils / 2, rows$n1)
    n2 <- ifelse(unsplit, rows$pupils / 2, rows$n2)
    largest <- tapply(seq_len(nrow(rows)), rows$study, function(at) at[which.max((n1 + n2)[at])])
    sizes <- sqrt(1 / n1 + 1 / n2)[unlist(largest[data$study])]
    data$predictor <- if (settings$predictor == "error") sqrt(data$vi) else sizes
    print(summary(lm(yi ~ predictor, data = data, weights = 1 / vi)))
    print(trimfill(rma(yi, vi, data = data, method = "REML", test = settings$test), estimator = "L0"))
  }
} else {
  for (rho in c(rho_used, settings$sensitivity)) {
    V <- if (rho == 0) rows$variance else vcalc(variance, cluster = study, obs = row, data = rows, rho = rho)
    fit <- rma.mv(effect, V, random = ~ 1 | study / row, data = rows, method = "REML")
    robust <- coef_test(fit, vcov = "CR2", cluster = rows$study)
    half <- qt(c(0.975, 0.9), df = robust$df_Satt) * sqrt(robust$SE^2 + sum(fit$sigma2))
    cat("\nrho", rho, "\n")
    print(fit, digits = 6)
    print(robust)
    print(conf_int(fit, vcov = "CR2", cluster = rows$study))
    cat("voorspelling van 95%:", robust$beta - half[1], "tot", robust$beta + half[1], "\n")
    cat("voorspelling van 80%:", robust$beta - half[2], "tot", robust$beta + half[2], "\n")
  }
}

# Groepen: een gemiddelde per groep met een gemeenschappelijke variantie tussen studies, en de HTZ-toets
for (name in settings$groups) {
  column <- if (paste0("moderator_", name) %in% names(rows)) paste0("moderator_", name) else name
  value <- as.character(rows[[column]])
  known <- !is.na(value) & !(value %in% c("", "unknown"))
  counts <- tapply(rows$study[known], value[known], function(study) length(unique(study)))
  part <- rows[known & value %in% names(counts)[counts >= settings$fewest_studies], ]
  part$group <- factor(part[[column]])
  if (nlevels(part$group) < 2) next
  rho <- rho_used
  if (settings$model == "independent") {
    fit <- rma(effect, variance, mods = ~ 0 + group, data = part, method = settings$method, test = settings$test)
  } else {
    V <- if (rho == 0) part$variance else vcalc(variance, cluster = study, obs = row, data = part, rho = rho)
    fit <- rma.mv(effect, V, mods = ~ 0 + group, random = ~ 1 | study / row, data = part, method = "REML")
  }
  cat("\n", name, "\n")
  print(fit, digits = 6)
  print(coef_test(fit, vcov = "CR2", cluster = part$study))
  print(Wald_test(fit, constraints = constrain_equal(seq_len(nlevels(part$group))), vcov = "CR2",
                  cluster = part$study, test = "HTZ"))
}

# Kenmerken in getallen: wat het effect verandert als het getal met 1 stijgt
for (name in settings$slopes) {
  column <- if (paste0("moderator_", name) %in% names(rows)) paste0("moderator_", name) else name
  part <- rows[!is.na(rows[[column]]), ]
  part$x <- part[[column]] - mean(part[[column]])
  cat("\n", name, "\n")
  if (settings$model == "independent") {
    print(rma(effect, variance, mods = ~ x, data = part, method = settings$method, test = settings$test), digits = 6)
  } else {
    V <- if (rho_used == 0) part$variance else vcalc(variance, cluster = study, obs = row, data = part, rho = rho_used)
    fit <- rma.mv(effect, V, mods = ~ x, random = ~ 1 | study / row, data = part, method = "REML")
    print(coef_test(fit, vcov = "CR2", cluster = part$study))
  }
}
