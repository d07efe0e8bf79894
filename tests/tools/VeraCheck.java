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

/** Validates files: VeraCheck FLAVOUR,… FILE…; one line per file and flavour, then its broken rules, indented. */
public class VeraCheck {
  public static void main(String[] arguments) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    int broken = 0;
    for (String name : arguments[0].split(",")) {
      for (int index = 1; index < arguments.length; index++) {
        broken += validated(PDFAFlavour.fromString(name), arguments[index]) ? 0 : 1;
      }
    }
    System.exit(broken > 0 ? 1 : 0);
  }

  private static boolean validated(PDFAFlavour flavour, String path) throws Exception {
    try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(path), flavour);
        PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
      ValidationResult result = validator.validate(parser);
      System.out.println(
          path + " " + flavour + " compliant=" + result.isCompliant()
              + " asserts=" + result.getTotalAssertions() + " ");
      Map<String, Integer> failed = new TreeMap<>();
      for (TestAssertion each : result.getTestAssertions()) {
        if (each.getStatus() == TestAssertion.Status.FAILED) {
          String rule = each.getRuleId().getClause() + "-" + each.getRuleId().getTestNumber();
          failed.merge(rule + " " + each.getMessage(), 1, Integer::sum);
        }
      }
      failed.forEach((rule, times) -> System.out.println("   " + times + "x " + rule));
      return result.isCompliant();
    }
  }
}
