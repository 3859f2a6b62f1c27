package lake;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.MessageDigest;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/** Lets in whoever gives the password that stands, as a JSON string, in the endpoint's password file. */
public class PasswordFileAuthentication implements PasswdAuthenticationProvider {
    public void Authenticate(String user, String password) throws AuthenticationException {
        byte[] expected;
        try {
            expected = Files.readAllBytes(Paths.get(System.getProperty("carelake.endpoint.password.file")));
        } catch (java.io.IOException e) {
            throw new AuthenticationException("the endpoint is closing");
        }
        byte[] given = ("\"" + password + "\"").getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(expected, given)) {
            throw new AuthenticationException("the password is not that of the lake");
        }
    }
}
