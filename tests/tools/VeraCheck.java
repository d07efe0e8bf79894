import java.io.File;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Validates files: VeraCheck FLAVOUR FILE…; one line per file, then its broken rules, indented. */
public class VeraCheck {
  public static void main(String[] arguments) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    PDFAFlavour flavour = PDFAFlavour.fromString(arguments[0]);
    int broken = 0;
    for (int index = 1; index < arguments.length; index++) {
      File file = new File(arguments[index]);
      try (PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
          PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
        ValidationResult result = validator.validate(parser);
        System.out.println(
            arguments[index] + " " + flavour + " compliant=" + result.isCompliant()
                + " asserts=" + result.getTotalAssertions() + " ");
        Map<String, Integer> failed = new TreeMap<>();
        for (TestAssertion each : result.getTestAssertions()) {
          if (each.getStatus() == TestAssertion.Status.FAILED) {
            String rule = each.getRuleId().getClause() + "-" + each.getRuleId().getTestNumber();
            failed.merge(rule + " " + each.getMessage(), 1, Integer::sum);
          }
        }
        failed.forEach((rule, times) -> System.out.println("   " + times + "x " + rule));
        broken += result.isCompliant() ? 0 : 1;
      }
    }
    System.exit(broken > 0 ? 1 : 0);
  }
}
