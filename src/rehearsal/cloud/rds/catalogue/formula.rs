//! Parameter formulas: `LEAST({DBInstanceClassMemory/9531392},5000)`.
//! Source: RDS user guide, "Specifying DB parameters": variables, `/` and `*`, GREATEST, LEAST, SUM, log (base 2).

/// What formulas know of an instance class.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Bytes.
    pub memory: f64,
    /// Virtual processors.
    pub processors: f64,
}

impl Size {
    /// The smallest class.
    pub const SMALLEST: Self = Self { memory: 1_073_741_824.0, processors: 2.0 };
}

/// The value of a formula, rounded down as RDS does; nothing if it is none, or a plain number.
pub fn value(text: &str, size: Size) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !text.contains(['{', '(']) {
        return None;
    }
    let mut reader = Reader { rest: &text, size };
    let found = reader.product()?;
    (reader.rest.is_empty() && found.is_finite()).then(|| format!("{:.0}", found.floor()))
}

struct Reader<'a> {
    rest: &'a str,
    size: Size,
}

impl Reader<'_> {
    fn eat(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut found = self.term()?;
        loop {
            if self.eat("*") {
                found *= self.term()?;
            } else if self.eat("/") {
                found /= self.term()?;
            } else {
                return Some(found);
            }
        }
    }

    fn term(&mut self) -> Option<f64> {
        if self.eat("{") {
            let found = self.product()?;
            return self.eat("}").then_some(found);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "GREATEST" => Some(self.list()?.into_iter().fold(f64::NEG_INFINITY, f64::max)),
            "LEAST" => Some(self.list()?.into_iter().fold(f64::INFINITY, f64::min)),
            "SUM" => Some(self.list()?.into_iter().sum()),
            "log" => self.list()?.first().map(|of| of.log2()),
            "DBInstanceClassMemory" => Some(self.size.memory),
            "DBInstanceVCPU" => Some(self.size.processors),
            "AllocatedStorage" => Some(20.0 * 1_073_741_824.0),
            "EndPointPort" => Some(5432.0),
            number => number.parse().ok(),
        }
    }

    fn list(&mut self) -> Option<Vec<f64>> {
        if !self.eat("(") {
            return None;
        }
        let mut found = vec![self.product()?];
        while self.eat(",") {
            found.push(self.product()?);
        }
        self.eat(")").then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_of_rds_are_worked_out() {
        let size = Size { memory: 4.0 * 1_073_741_824.0, processors: 2.0 };
        let is = |text| value(text, size);
        assert_eq!(is("LEAST({DBInstanceClassMemory/9531392},5000)").as_deref(), Some("450"));
        assert_eq!(is("GREATEST({DBInstanceClassMemory*1024/63963136},65536)").as_deref(), Some("68759"));
        assert_eq!(is("GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)").as_deref(), Some("200"));
        assert_eq!(is("{DBInstanceClassMemory/32768}").as_deref(), Some("131072"));
        for no in ["12", "LEAST(", "{DBInstanceClassMemory", "SUM(1,2)x", "MOST(1)"] {
            assert_eq!(is(no), None, "{no}");
        }
    }
}
