//! Numbers as they were written or counted, as fractions of whole numbers.
//!
//! A limit of `0.9%` is 9 in 1000, and no float is: compared as floats, 9 failures of 1000 may stand on either side of it.

use std::cmp::Ordering;

/// Most digits behind the point that are kept of a decimal.
const MOST_DECIMALS: u32 = 37;
/// Up to here whole numbers are floats without rounding.
const WHOLE_FLOATS: u128 = 1 << f64::MANTISSA_DIGITS;

/// A fraction in its lowest terms; the denominator is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    /// 0.
    pub const ZERO: Self = Self::whole(0);
    /// 1.
    pub const ONE: Self = Self::whole(1);

    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        Self {
            numerator: number as i128,
            denominator: 1,
        }
    }

    /// One number divided by another; `None` for a division by zero, or beyond 38 digits.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        let common = i128::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs()));
        let common = common.ok().filter(|_| denominator != 0)?;
        let common = common.checked_mul(denominator.signum())?;
        Some(Self {
            numerator: numerator.checked_div(common)?,
            denominator: denominator.checked_div(common)?,
        })
    }

    /// One count divided by another; `None` for a division by zero.
    pub fn share(of: u64, all: u64) -> Option<Self> {
        Self::new(i128::from(of), i128::from(all))
    }

    /// A number as it is written, `-12.5` or `.5`; `None` for anything else, and beyond 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let scale = u32::try_from(decimals.len()).ok();
        let scale = scale.filter(|scale| *scale <= MOST_DECIMALS)?;
        if !is_number(whole) || !is_number(decimals) || whole.len() + decimals.len() == 0 {
            return None;
        }
        let number: i128 = format!("{whole}{decimals}").parse().ok()?;
        let number = if negative { -number } else { number };
        Self::new(number, 10_i128.pow(scale))
    }

    /// The shortest decimal that reads as this float: the number that was written, where one was. What is too large or
    /// too small for a fraction is the largest or smallest there is; NaN is zero.
    pub fn of(value: f64) -> Self {
        const LARGEST: f64 = 1e37;
        let magnitude = value.abs();
        let sign = if value < 0.0 { -1 } else { 1 };
        if magnitude >= LARGEST {
            return Self {
                numerator: sign * 10_i128.pow(MOST_DECIMALS),
                denominator: 1,
            };
        }
        let text = format!("{magnitude}");
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        // A float has at most 17 digits that mean something; what is cut here is behind them, or all there is.
        let room = (MOST_DECIMALS as usize).saturating_sub(whole.len());
        let kept = &decimals[..decimals.len().min(room)];
        let parsed = Self::parse(&format!("{whole}.{kept}"));
        match parsed {
            Some(found) if found.numerator > 0 || magnitude == 0.0 => Self {
                numerator: found.numerator * sign,
                ..found
            },
            _ if magnitude > 0.0 => Self {
                numerator: sign,
                denominator: 10_i128.pow(MOST_DECIMALS),
            },
            _ => Self::ZERO,
        }
    }

    /// A float without the noise of the arithmetic behind it: the decimal of twelve digits that is nearest.
    pub fn near(value: f64) -> Self {
        let text = format!("{value:.11e}");
        Self::of(text.parse().unwrap_or(value))
    }

    /// The nearest float, of numbers of up to 15 digits; of longer ones a float beside it.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// Whether it has no fraction.
    pub fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// The largest whole number up to it.
    pub fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The smallest whole number from it on.
    pub fn ceil(self) -> i128 {
        -(-self.numerator).div_euclid(self.denominator)
    }

    /// The sum, unless it needs too many digits; likewise the next three.
    pub fn plus(self, other: Self) -> Option<Self> {
        let (a, b) = (self, other);
        let left = a.numerator.checked_mul(b.denominator)?;
        let right = b.numerator.checked_mul(a.denominator)?;
        Self::new(
            left.checked_add(right)?,
            a.denominator.checked_mul(b.denominator)?,
        )
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The product.
    pub fn times(self, other: Self) -> Option<Self> {
        // Crosswise in lowest terms first, so that the products stay as small as they can be.
        let (a, b) = (
            Self::new(self.numerator, other.denominator)?,
            Self::new(other.numerator, self.denominator)?,
        );
        Self::new(
            a.numerator.checked_mul(b.numerator)?,
            a.denominator.checked_mul(b.denominator)?,
        )
    }

    /// The quotient; `None` for a division by zero, too.
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.denominator, other.numerator)?)
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            numerator: -self.numerator,
            ..self
        }
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            numerator: self.numerator.abs(),
            ..self
        }
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let crosswise = self
            .numerator
            .checked_mul(other.denominator)
            .zip(other.numerator.checked_mul(self.denominator));
        match crosswise {
            Some((a, b)) => a.cmp(&b),
            None => by_parts(*self, *other),
        }
    }
}

/// Compares whole parts, then what is left upside down: nothing grows, so nothing overflows.
fn by_parts(a: Fraction, b: Fraction) -> Ordering {
    let (mut a, mut b) = (a, b);
    let mut turned = false;
    loop {
        let wholes = a.floor().cmp(&b.floor());
        let rest = |f: Fraction| f.numerator.rem_euclid(f.denominator);
        let found = match (wholes, rest(a), rest(b)) {
            (Ordering::Equal, 0, 0) => Ordering::Equal,
            (Ordering::Equal, 0, _) => Ordering::Less,
            (Ordering::Equal, _, 0) => Ordering::Greater,
            (Ordering::Equal, rest_a, rest_b) => {
                let over = |f: Fraction, rest| Fraction {
                    numerator: f.denominator,
                    denominator: rest,
                };
                (a, b) = (over(a, rest_a), over(b, rest_b));
                turned = !turned;
                continue;
            }
            (found, ..) => found,
        };
        return if turned { found.reverse() } else { found };
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// The whole square root, if the number is a square.
pub fn square_root(square: u128) -> Option<u128> {
    let near = (square as f64).sqrt() as u128;
    // Beyond 53 bits the float is off by some; a few steps of Newton's make it exact.
    let mut root = near;
    for _ in 0..4 {
        if root == 0 || square < WHOLE_FLOATS {
            break;
        }
        root = u128::midpoint(root, square / root);
    }
    let candidates = [root.saturating_sub(1), root, root + 1];
    candidates
        .into_iter()
        .find(|r| r.checked_mul(*r) == Some(square))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fraction(numerator: i128, denominator: i128) -> Fraction {
        Fraction::new(numerator, denominator).expect("a fraction")
    }

    #[test]
    fn decimals_are_what_was_written() {
        for (text, numerator, denominator) in [
            ("0.9", 9, 10),
            ("-12.50", -25, 2),
            (".5", 1, 2),
            ("7.", 7, 1),
            ("+3", 3, 1),
            ("0.0", 0, 1),
        ] {
            let expected = fraction(numerator, denominator);
            assert_eq!(Fraction::parse(text), Some(expected), "{text}");
        }
        for text in ["", ".", "-", "1e3", "1,5", "0x1", "--1", "1.2.3", "٣"] {
            assert_eq!(Fraction::parse(text), None, "{text}");
        }
        assert_eq!(Fraction::parse(&"9".repeat(40)), None);
        assert_eq!(Fraction::new(1, 0), None);
    }

    #[test]
    fn a_float_is_the_decimal_it_was_read_from() {
        assert_eq!(Fraction::of(0.009), fraction(9, 1000));
        assert_eq!(Fraction::of(-0.1), fraction(-1, 10));
        assert_eq!(
            Fraction::of(1e15 + 0.5),
            fraction(2 * 10_i128.pow(15) + 1, 2)
        );
        assert_eq!(Fraction::of(0.0), Fraction::ZERO);
        assert_eq!(Fraction::of(f64::NAN), Fraction::ZERO);
        assert!(Fraction::of(1e300) > Fraction::of(1e30));
        assert!(Fraction::of(f64::INFINITY) > Fraction::whole(i64::MAX));
        assert!(Fraction::of(-1e300) < Fraction::whole(i64::MIN));
        assert!(Fraction::of(1e-300) > Fraction::ZERO);
        assert!(Fraction::of(-1e-300) < Fraction::ZERO);
        assert_eq!(Fraction::of(2.5e-20).to_f64(), 2.5e-20);
    }

    #[test]
    fn noise_is_no_part_of_a_number() {
        assert_eq!(Fraction::near(0.1 + 0.2), fraction(3, 10));
        assert_eq!(Fraction::near(-1234.5), fraction(-2469, 2));
        assert_eq!(
            Fraction::near(1.0 / 3.0),
            fraction(333_333_333_333, 10_i128.pow(12))
        );
        assert_eq!(Fraction::near(f64::NAN), Fraction::ZERO);
    }

    #[test]
    fn arithmetic_is_that_of_fractions() {
        let (third, half) = (fraction(1, 3), fraction(1, 2));
        assert_eq!(third.plus(half), Some(fraction(5, 6)));
        assert_eq!(third.minus(half), Some(fraction(-1, 6)));
        assert_eq!(third.times(half), Some(fraction(1, 6)));
        assert_eq!(third.over(half), Some(fraction(2, 3)));
        assert_eq!(third.over(Fraction::ZERO), None);
        assert_eq!((fraction(-7, 2).floor(), fraction(-7, 2).ceil()), (-4, -3));
        assert_eq!((fraction(7, 2).floor(), fraction(7, 2).ceil()), (3, 4));
    }

    #[test]
    fn squares_have_whole_roots() {
        for root in [0, 1, 2, 3, 1 << 30, (1 << 40) + 1, (1 << 62) + 12_345] {
            let square = root * root;
            assert_eq!(square_root(square), Some(root));
            assert_eq!(square_root(square + 2), None, "{root}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_numbers(a in -1000..1000_i128, b in 1..1000_i128, c in -1000..1000_i128, d in 1..1000_i128) {
            prop_assert_eq!(fraction(a, b).cmp(&fraction(c, d)), (a * d).cmp(&(c * b)));
            prop_assert_eq!(by_parts(fraction(a, b), fraction(c, d)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn order_needs_no_room(a in any::<i64>(), b in 1..i64::MAX, shift in 1..60_u32) {
            // Both stretched beyond what their cross products can hold.
            let stretch = 1_i128 << shift;
            let one = Fraction { numerator: i128::from(a) * stretch + 1, denominator: i128::from(b) * stretch };
            let two = Fraction { numerator: i128::from(a) * stretch, denominator: i128::from(b) * stretch };
            prop_assert_eq!(one.cmp(&two), Ordering::Greater);
            prop_assert_eq!(two.cmp(&one), Ordering::Less);
            prop_assert_eq!(two.cmp(&two), Ordering::Equal);
        }

        #[test]
        fn floats_come_back(value in -999_999_999_999_999..999_999_999_999_999_i64, scale in 0..15_i32) {
            let float = value as f64 / 10_f64.powi(scale);
            prop_assert_eq!(Fraction::of(float).to_f64(), float);
        }
    }
}
